"""At which steps the withdrawal of a consent takes away the ground of an enrollment, beyond what its audience demands.

Either every way to the step has established the consent (a wait for `consent.granted`, an `if`): nobody comes there
without it. Or messages lie ahead, and each of them needs a consent that is lost: nothing is left to be sent.
"""

from collections.abc import Collection, Iterable, Mapping

from journeys.model import Journey
from journeys.plan import Plan
from journeys.proofs.explore import Question, Standing, arrivals
from journeys.proofs.knowledge import established_by_event
from journeys.proofs.subject import Subject, subject_of
from journeys.steps.send import SendNode
from journeys.steps.start import StartNode
from journeys.values import ConsentRequirement, MessageChannel, Purpose

ConsentKey = tuple[str, str]
"""Purpose and channel."""
AtSteps = Mapping[str, frozenset[ConsentKey]]
"""Step → consents."""


def consents_won(journey: Journey) -> dict[str, frozenset[ConsentKey]]:
    """The consents that every way to a step has established, for the steps that have any."""
    subject = subject_of(journey)
    if subject is None:
        return {}
    won: dict[str, set[ConsentKey]] = {}
    for purpose in Purpose:
        for channel in MessageChannel:
            consent = ConsentRequirement(purpose=purpose, channel=channel)
            for step in _established_at(subject, consent):
                won.setdefault(step, set()).add((purpose.value, channel.value))
    return {step: frozenset(keys) for step, keys in won.items()}


def _established_at(subject: Subject, consent: ConsentRequirement) -> list[str]:
    entry = subject.journey.entry
    at_entry = consent in established_by_event(entry.event, entry.where)
    question = Question(consent, Standing.LASTING if at_entry else Standing.UNKNOWN, lapses=False)
    found = set(arrivals(subject.network, subject.plan.nodes, question))
    reached = {step for step, _ in found}
    return [step for step in subject.plan.nodes if step in reached and (step, Standing.UNKNOWN) not in found]


def ending_steps(subject: Subject, consent: ConsentRequirement, classes: Mapping[str, str]) -> frozenset[str]:
    """The steps at which the withdrawal of this one consent ends an enrollment, whatever the audience demands.

    `classes` are those of the templates by key, as they will be when the journey is published.
    """
    key = (consent.purpose.value, consent.channel.value)
    won = {step: frozenset({key}) for step in _established_at(subject, consent)}
    return frozenset(ended_at(won, consents_needed(subject.plan, classes), {key}))


def consents_needed(plan: Plan, classes: Mapping[str, str]) -> dict[str, frozenset[ConsentKey]]:
    """The consents that the messages ahead of a step need, for steps where there are some and each needs one.

    `classes` are those of the templates by key. A message in the step itself lies ahead; so does whatever a journey may
    send that is started ahead, and nobody knows what that needs.
    """
    ahead = {step: _ahead(plan, step) for step in plan.nodes}
    own = {step: _need(plan, step, classes) for step in plan.nodes}
    needed = {}
    for step, steps in ahead.items():
        needs = [own[other] for other in steps if isinstance(plan.nodes[other], SendNode | StartNode)]
        if needs and None not in needs:
            needed[step] = frozenset(need for need in needs if need is not None)
    return needed


def only_messages_over(plan: Plan, channel: MessageChannel) -> list[str]:
    """The steps ahead of which there are messages, all of them over this channel; none where a journey is started."""
    found = []
    for step in sorted(plan.nodes):
        ahead = [plan.nodes[other] for other in _ahead(plan, step)]
        sends = [node for node in ahead if isinstance(node, SendNode)]
        elsewhere = any(node.channel is not channel for node in sends) or any(
            isinstance(node, StartNode) for node in ahead
        )
        if sends and not elsewhere:
            found.append(step)
    return found


def _need(plan: Plan, step: str, classes: Mapping[str, str]) -> ConsentKey | None:
    node = plan.nodes[step]
    if not isinstance(node, SendNode):
        return None
    purpose = classes.get(node.template)
    return (purpose, node.channel.value) if purpose in {one.value for one in Purpose} else None


def _ahead(plan: Plan, step: str) -> set[str]:
    """The step, and all that can be reached from it, be it by meeting the goal."""
    goal = plan.after_goal if step not in plan.nodes_after_goal else None
    pending = [step] if goal is None else [step, goal]
    found = set(pending)
    while pending:
        for way in plan.nodes[pending.pop()].ways():
            if way.to is not None and way.to not in found:
                found.add(way.to)
                pending.append(way.to)
    return found


def ended_at(won: AtSteps, needed: AtSteps, lost: Collection[ConsentKey]) -> list[str]:
    """The steps at which the loss of these consents ends an enrollment, in the order of their names."""
    gone = frozenset(lost)
    by_way = {step for step, consents in won.items() if consents & gone}
    by_messages = {step for step, consents in needed.items() if consents and consents <= gone}
    return sorted(by_way | by_messages)


def write_consents(at_steps: AtSteps) -> dict[str, list[list[str]]]:
    """As JSON; `read_consents` reads it back."""
    return {step: [list(key) for key in sorted(keys)] for step, keys in at_steps.items()}


def read_consents(written: Mapping[str, Iterable[Iterable[str]]] | None) -> dict[str, frozenset[ConsentKey]]:
    """What `write_consents` has written; nothing where nothing was."""
    return {step: frozenset((purpose, channel) for purpose, channel in keys) for step, keys in (written or {}).items()}
