"""Journeys that bring one another about: what their steps cause, whose entry takes it, and whether that goes round.

What journeys do by themselves, and what follows when a goal or an exit is met, whoever meets it. Points that an event
gives, and what people and producers do in between, may close further circles that cannot be seen here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from journeys.conditions.comparison import lookup, mismatch
from journeys.model import Cooldown, Journey, PerProperty
from journeys.proofs.mails import earliest
from journeys.proofs.network import Hop
from journeys.proofs.subject import Subject
from journeys.steps.base import Caused
from journeys.steps.change_list import ListNode
from journeys.steps.leave import ExitNode
from journeys.steps.registry import Node
from journeys.steps.set_attributes import SetNode
from journeys.steps.start import START_REQUESTED
from journeys.values import GOAL_MET, JOURNEY_COMPLETED, JOURNEY_EXITED, entry_reference


@dataclass(frozen=True)
class Trigger:
    """A step of one journey that lets contacts into another, or into its own; without a step, its goal or end does."""

    source: Subject
    step_id: str | None
    caused: Caused
    target: Subject

    @property
    def takes(self) -> timedelta:
        """How long after its own entry a contact enters the other journey, at least; its cooldown counted.

        A goal may be met at once, and so may an exit.
        """
        reached = [timedelta()] if self.step_id is None and self.waits_for else self._reached()
        again = self.target.journey.entry.again
        return min(reached) + (again.cooldown if isinstance(again, Cooldown) else timedelta())

    @property
    def waits_for(self) -> str:
        """What has to happen each time that the journey does not do by itself; empty where there is nothing."""
        if self.step_id is None:
            return _OCCASIONS.get(self.caused.event, "")
        return _OCCASIONS[GOAL_MET] if self.step_id in self.source.plan.nodes_after_goal else ""

    def _reached(self) -> list[timedelta]:
        """When the step is reached, or the end of the steps."""
        network = self.source.unrolled
        times = earliest(network)
        if self.step_id is not None:
            return [at for place, at in times.items() if place.node == self.step_id]
        ends = [hop for station in times for hop in network.hops[station] if _completes(self.source, hop)]
        return [times[hop.station] + hop.way.least for hop in ends]


_OCCASIONS: Mapping[str, str] = {GOAL_MET: "goals are met", JOURNEY_EXITED: "exits are met"}
Circle = tuple[Trigger, ...]
"""Triggers of which each begins in the journey that the one before leads to, and the first where the last leads."""


def circles(subjects: Sequence[Subject]) -> Iterator[Circle]:
    """For each journey that can bring itself about again and again, a shortest way round; each circle once."""
    triggers = list(_triggers(subjects))
    told: set[frozenset[str]] = set()
    for subject in subjects:
        found = _way_round(subject, triggers)
        keys = frozenset(trigger.source.journey.key for trigger in found)
        if found and keys not in told:
            told.add(keys)
            yield found


def _way_round(subject: Subject, triggers: Sequence[Trigger]) -> Circle:
    """A shortest chain of triggers from the journey back to it; empty where there is none."""
    pending: list[Circle] = [(trigger,) for trigger in triggers if trigger.source is subject]
    reached: set[str] = set()
    for chain in pending:
        target = chain[-1].target
        if target is subject:
            return chain
        if target.journey.key not in reached:
            reached.add(target.journey.key)
            pending += [(*chain, trigger) for trigger in triggers if trigger.source is target]
    return ()


def _triggers(subjects: Sequence[Subject]) -> Iterator[Trigger]:
    """What can happen any number of times: into journeys that are entered again, by steps that have an effect again."""
    nodes = [node for subject in subjects for node in subject.plan.nodes.values()]
    open_again = [subject for subject in subjects if _entered_again(subject.journey)]
    for source in open_again:
        for step, told in (*_goal_of(source.journey), *_ends_of(source)):
            yield from (Trigger(source, step, told, target) for target in open_again if _takes(target.journey, told))
        for step_id in dict.fromkeys(station.node for station in source.network.hops):
            node = source.plan.nodes[step_id]
            if step_id in source.plan.nodes_after_goal and not _meets_its_goal_again(source.journey):
                continue
            for caused in node.causes() if _effective_again(node, nodes) else ():
                yield from (
                    Trigger(source, step_id, caused, target) for target in open_again if _takes(target.journey, caused)
                )


def _goal_of(journey: Journey) -> Iterator[tuple[None, Caused]]:
    """What follows each time the goal is met."""
    if _meets_its_goal_again(journey):
        yield None, Caused(GOAL_MET, {"journey": journey.key})


def _meets_its_goal_again(journey: Journey) -> bool:
    """Whether one contact can meet the goal any number of times: not where whoever has met it is kept out."""
    return journey.goal is not None and journey.goal.met_before != "ever"


def _completes(source: Subject, hop: Hop) -> bool:
    """Whether the hop leads to the end of the steps; behind a met goal, the end is the goal's."""
    return hop.target is None and hop.station.node not in source.plan.nodes_after_goal


def _ends_of(source: Subject) -> Iterator[tuple[str | None, Caused]]:
    """What follows when a contact leaves by an `exit` step, by an exit event, or at the end of the steps."""
    key, nodes = source.journey.key, source.plan.nodes
    lasts = {hop.station.node for hops in source.network.hops.values() for hop in hops if _completes(source, hop)}
    exits = sorted(step for step in lasts if isinstance(nodes[step], ExitNode))
    yield from ((step, Caused(JOURNEY_EXITED, {"journey": key, "step": step})) for step in exits)
    if source.journey.exit or source.journey.exit_when is not None:
        yield None, Caused(JOURNEY_EXITED, {"journey": key})
    if lasts - set(exits):
        yield None, Caused(JOURNEY_COMPLETED, {"journey": key})


def _entered_again(journey: Journey) -> bool:
    """One enrollment per value of a property does not go round: what steps cause brings the same values each time."""
    again = journey.entry.again
    return again != "never" and not isinstance(again, PerProperty)


def _effective_again(node: Node, nodes: Sequence[Node]) -> bool:
    """Whether the step changes something each time: what it writes is undone by some step, or differs each time."""
    if isinstance(node, ListNode):
        return any(
            isinstance(other, ListNode) and other.list_key == node.list_key and other.member != node.member
            for other in nodes
        )
    if isinstance(node, SetNode):
        written = [other.attributes for other in nodes if isinstance(other, SetNode)]
        return any(
            entry_reference(value) is not None or any(name in given and given[name] != value for given in written)
            for name, value in node.attributes.items()
        )
    return True


def _takes(journey: Journey, caused: Caused) -> bool:
    """Whether the journey's entry may take the event, as far as its properties are known beforehand."""
    entry = journey.entry
    if caused.event == START_REQUESTED:  # a start asks nothing of the entry's event
        return bool(caused.properties["journey"] == journey.key)
    if entry.trigger != caused.event:
        return False
    where = entry.criterion.where if entry.criterion is not None else {}
    known = {name: asked for name, asked in where.items() if lookup(caused.properties, name) is not None}
    return all(mismatch(name, lookup(caused.properties, name), asked, {}) is None for name, asked in known.items())
