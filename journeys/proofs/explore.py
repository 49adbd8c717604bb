"""Looking for ways on which something that a step depends on is not known to be so. The shortest is the one told."""

from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from journeys.conditions.registry import Condition
from journeys.proofs.knowledge import Fact, established, established_by_event, refuted
from journeys.proofs.network import Hop, Network, Station, Trail
from journeys.steps.registry import Node


class Standing(IntEnum):
    """How certain a fact is."""

    UNKNOWN = 0
    LAPSED = 1
    """It was judged to be so, and time has passed since."""
    JUDGED = 2
    """It has just been judged to be so."""
    LASTING = 3
    """It is so for as long as the contact is inside."""


Place = tuple[Station, Standing]
Changes = Callable[[Hop, Node, Fact], bool | None]
"""Whether a hop from a node makes a fact so, or not so; None where it leaves the fact as it is."""


def _leaves(_hop: Hop, _node: Node, _fact: Fact) -> None:
    return None


@dataclass(frozen=True)
class Question:
    """A fact to follow through a network: how certain it is at the start, and which certainty lasts."""

    fact: Fact
    at_start: Standing
    lapses: bool = True
    """Whether it may cease to be so unnoticed while time passes."""
    ending_at: Collection[str] = frozenset()
    """Nodes at which a contact leaves as soon as it ceases to be so: who goes on from there has it still."""
    changes: Changes = field(default=_leaves)


def arrivals(network: Network, nodes: Collection[str], question: Question) -> Mapping[tuple[str, Standing], Trail]:
    """For each of these nodes and each certainty with which it can be reached, a shortest trail to it."""
    start: Place = (network.start, question.at_start)
    before: dict[Place, tuple[Place, Hop] | None] = {start: None}
    found: dict[tuple[str, Standing], Trail] = {}
    pending = deque([start])
    while pending:
        place = pending.popleft()
        station, standing = place
        if station.node in nodes and (station.node, standing) not in found:
            found[station.node, standing] = _trail(before, place)
        for hop in network.hops[station]:
            if hop.target is None:
                continue
            onwards = (hop.target, _after(network, hop, question, standing))
            if onwards not in before:
                before[onwards] = (place, hop)
                pending.append(onwards)
    return found


def _trail(before: Mapping[Place, tuple[Place, Hop] | None], place: Place) -> Trail:
    hops: list[Hop] = []
    step = before[place]
    while step is not None:
        place, hop = step
        hops.append(hop)
        step = before[place]
    return tuple(reversed(hops))


def _after(network: Network, hop: Hop, question: Question, standing: Standing) -> Standing:
    """How certain the fact is behind the hop: time passes at the node, then what the way tells counts."""
    way, fact = hop.way, question.fact
    unnoticed = question.lapses and hop.station.node not in question.ending_at
    if standing is Standing.JUDGED and unnoticed and (way.most is None or way.most):
        standing = Standing.LAPSED
    if (changed := question.changes(hop, network.plan.nodes[hop.station.node], fact)) is not None:
        standing = _judged(question, standing) if changed else Standing.UNKNOWN
    if any(fact in refuted(condition, holds=holds) for condition, holds in _judgements(hop)):
        return Standing.UNKNOWN
    if any(fact in established(condition, holds=holds) for condition, holds in _judgements(hop)):
        return _judged(question, standing)
    criterion = network.plan.criteria.get(way.met)
    if criterion is not None and fact in established_by_event(criterion.event, criterion.where):
        return _judged(question, standing)
    return standing


def _judged(question: Question, standing: Standing) -> Standing:
    return max(standing, Standing.JUDGED if question.lapses else Standing.LASTING)


def _judgements(hop: Hop) -> list[tuple[Condition | None, bool]]:
    return [(hop.way.holds, True), *((condition, False) for condition in hop.way.fails)]
