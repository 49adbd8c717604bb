"""That every way to a message brings the variables that its template cannot do without.

Proven from what a journey says: the `where` of its entry, its audience and conditions, the attributes it sets. Not
proven, since nothing here sees it: what producers send, what a contact enrolled over the API comes with, attributes
that are removed from outside after they were asked for, and texts that are blank (templates take them for missing).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from journeys.findings import KnownTemplates, Note, warning
from journeys.proofs.explore import Changes, Question, Standing, arrivals
from journeys.proofs.knowledge import Fact, entry_values, established
from journeys.proofs.network import TOO_LATE, UNDONE, Hop, Trail
from journeys.proofs.subject import Sending, Subject
from journeys.proofs.vouchers import VARIABLES
from journeys.step_references import step_property
from journeys.steps.registry import Node
from journeys.steps.set_attributes import SetNode
from journeys.values import entry_reference, is_step_reference

_ALWAYS = frozenset({"contact.email"})
"""Who has no address gets no message, so no template misses it."""


def variables_present(subject: Subject, known: KnownTemplates) -> Iterator[Note]:
    """One finding for each way on which a template may lack variables."""
    at_start = _at_start(subject)
    for sending in subject.sendings:
        template = known.get(sending.node.template)
        for trail, names in _lacking(subject, sending, template.required if template else frozenset(), at_start):
            yield _note(subject, sending, trail, names)


def _at_start(subject: Subject) -> frozenset[Fact]:
    entry = subject.journey.entry
    given = frozenset(f"entry.{name}" for name in entry.timed.given) if entry.timed else frozenset()
    return (
        _ALWAYS
        | given
        | entry_values(entry.criterion.where if entry.criterion is not None else {})
        | established(entry.audience, holds=True)
    )


def _lacking(
    subject: Subject, sending: Sending, required: frozenset[str], at_start: frozenset[Fact]
) -> Iterator[tuple[Trail, list[str]]]:
    """The trails to the step on which variables may be missing, and which of them."""
    lacking: Mapping[Trail, list[str]] = defaultdict(list)
    for name in sorted(name for name in required if not name.startswith(VARIABLES)):
        standing = Standing.LASTING if name in at_start else Standing.UNKNOWN
        changes: Changes = _Met(subject) if name.startswith("steps.") else _Sets(at_start)
        question = Question(name, standing, lapses=False, changes=changes)
        trails = arrivals(subject.network, {sending.step_id}, question)
        if (trail := trails.get((sending.step_id, Standing.UNKNOWN))) is not None:
            lacking[trail].append(name)
    yield from lacking.items()


class _Sets:
    """What a `set` on the way makes of an attribute: a value, or none; one that comes too late changes nothing."""

    def __init__(self, at_start: frozenset[Fact]) -> None:
        self._at_start = at_start

    def __call__(self, hop: Hop, node: Node, fact: Fact) -> bool | None:
        if hop.way.when == TOO_LATE:
            return None
        name = fact.removeprefix("contact.") if isinstance(fact, str) and fact.startswith("contact.") else None
        if name is None or not isinstance(node, SetNode) or name not in node.attributes:
            return None
        value = node.attributes[name]
        if hop.way.when in UNDONE and value is not None:
            return None
        if (reference := entry_reference(value)) is not None:
            # What the entry does not have is not set.
            return True if f"entry.{reference}" in self._at_start else None
        if is_step_reference(value):
            return None  # Nor is what no event has brought; of one that has, more than that it came is seldom known.
        return value is not None and str(value).strip() != ""


class _Met:
    """What leaving a step makes of the properties of the event it met: those its `where` demands, or none."""

    def __init__(self, subject: Subject) -> None:
        self._criteria = subject.plan.criteria

    def __call__(self, hop: Hop, _node: Node, fact: Fact) -> bool | None:
        step = hop.station.node
        if not (isinstance(fact, str) and fact.startswith(f"steps.{step}.")):
            return None
        criterion = self._criteria.get(hop.way.met)
        return criterion is not None and fact in entry_values(criterion.where, f"steps.{step}")


def _note(subject: Subject, sending: Sending, trail: Trail, names: list[str]) -> Note:
    way = subject.tell(trail, arriving=sending.step_id)
    return warning(
        "variable-may-be-missing",
        (*subject.paths[sending.step_id], "send", "template"),
        f"'{sending.node.template}' cannot be filled in without {' and '.join(names)}, and a contact may come here "
        f"without: {way}.",
        f"Ask in the template (`{{% if {names[0]} %}}`, or `| default: …`), or before: {_question(subject, names[0])}.",
    )


def _question(subject: Subject, name: str) -> str:
    """How a journey asks for the variable."""
    root, _, below = name.partition(".")
    if root == "steps":
        step, wanted = step_property(below)
        return f"`where: {{{wanted}: {{exists: true}}}}` at the step '{step}', or `{{step: {below}}}` in an `if`"
    if root == "latest":
        return (
            f"`{{event: …, where: {{…: {{exists: true}}}}}}` in an `if`, and `latest: {{{below.partition('.')[0]}: …}}`"
        )
    if root == "contact":
        return f"`{{attribute: {below}}}` in the audience or an `if`"
    if subject.journey.entry.criterion is None:
        return f"`{{entry: {below}}}` in the audience or an `if`"
    return f"`where: {{{below}: {{exists: true}}}}` at the entry, or `{{entry: {below}}}` in an `if`"
