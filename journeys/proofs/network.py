"""All ways through a plan: each place a contact can be at, with what of its past decides where it may go on.

A station is a node of the plan together with the results that conditions ask for; unrolled also with how often each
bounded way has been taken. So a way that contradicts what has happened is none, and a bounded repeat ends.
Where the goal has steps of its own (`then`), a way leads to them from every station ahead of it. Not covered, because
people do it: skipping, retrying and moving a contact; and the ends by a goal without steps or an exit, at any station.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import NamedTuple

from journeys.plan import GOAL, Plan
from journeys.proofs.knowledge import asked_results, truth
from journeys.steps.base import Way
from journeys.steps.registry import Node

MOST_STATIONS = 20_000
"""Of a plan with more, results are not told apart; where it still has more, it is not looked at to the end."""


TOO_LATE = "too late for it"
"""When a step is passed by that has expired."""
GOAL_MET = "the goal is met"
"""When a step is left for those behind the goal."""
UNDONE = frozenset({TOO_LATE, GOAL_MET})
"""When a step is left without being known to be done."""


class Station(NamedTuple):
    """A place on the way: the node, and what of the past counts."""

    node: str
    results: tuple[tuple[str, str | None], ...] = ()
    """Steps that conditions ask about, with their results: none yet, or an empty word where the way does not tell."""
    rounds: tuple[tuple[str, int, int], ...] = ()
    """How often a bounded way (node and number of the way) has been taken."""


class Hop(NamedTuple):
    """From a station over one of its ways to another; None: the end."""

    station: Station
    way: Way
    target: Station | None


Trail = tuple[Hop, ...]
"""Hops that follow one another."""


@dataclass(frozen=True)
class Network:
    """The stations of a plan and the hops between them. `complete` is false where there were too many to look at."""

    plan: Plan
    start: Station
    hops: Mapping[Station, tuple[Hop, ...]]
    complete: bool

    @cached_property
    def _search(self) -> "_Search":
        return _Search(self)

    @property
    def order(self) -> tuple[Station, ...]:
        """The stations, each before those behind it; where ways go in a circle, that cannot be and is not so."""
        return tuple(reversed(self._search.finished))

    @property
    def endless(self) -> Trail:
        """A trail from the start into a circle that nothing bounds, and once around; empty where there is none."""
        return self._search.circle


def network_of(plan: Plan, *, unrolled: bool, late: bool = False) -> Network:
    """The network of a plan. Unrolled, it goes in a circle only where nothing bounds how often.

    Args:
        plan: where the ways are.
        unrolled: whether rounds are counted; else a bounded way is taken any number of times.
        late: whether steps that expire may be passed by. Else everything runs as planned.
    """
    asked = frozenset().union(
        *(
            asked_results(condition)
            for node in plan.nodes.values()
            for way in node.ways()
            for condition in (way.holds, *way.fails)
        )
    )
    network = _Builder(plan, asked, unrolled, late).network()
    return network if network.complete or not asked else _Builder(plan, frozenset(), unrolled, late).network()


@dataclass(frozen=True)
class _Builder:
    """Collects stations. `asked` are the steps whose results are told apart."""

    plan: Plan
    asked: frozenset[str]
    unrolled: bool
    late: bool

    def network(self) -> Network:
        start = Station(self.plan.start, tuple((step, None) for step in sorted(self.asked)))
        hops: dict[Station, tuple[Hop, ...]] = {}
        pending = [start]
        while pending and len(hops) < MOST_STATIONS:
            station = pending.pop()
            if station not in hops:
                hops[station] = tuple(self._hops(station))
                pending += [hop.target for hop in hops[station] if hop.target is not None]
        complete = all(station in hops for station in pending)
        if not complete:
            seen = {None, *hops}
            hops = {place: tuple(hop for hop in found if hop.target in seen) for place, found in hops.items()}
        return Network(self.plan, start, hops, complete)

    def _hops(self, station: Station) -> Iterator[Hop]:
        results = dict(station.results)
        ways = self._ways(station.node)
        for number, way in enumerate(ways):
            if truth(way.holds, results) is False or any(truth(failed, results) for failed in way.fails):
                continue
            rounds = _rounds(station, number, way) if self.unrolled else ()
            if rounds is None or (way.exhausted and self.unrolled and not _exhausted(station, ways)):
                continue
            # A further round is not the end of the step: what is known of its result stays as it is.
            told = station.node in self.asked and (way.result != "" or way.at_most is None)
            known = results | {station.node: way.result} if told else results
            yield Hop(station, way, None if way.to is None else Station(way.to, tuple(sorted(known.items())), rounds))

    def _ways(self, step: str) -> tuple[Way, ...]:
        """The node's own ways; where it expires the one past it, of which nothing is known; and that of the goal."""
        node, ways = self.plan.nodes[step], self.plan.nodes[step].ways()
        if node.expires_after is not None and self.late:
            ways = (*ways, Way(TOO_LATE, node.skipped_to()))
        goal = self.plan.after_goal
        return ways if goal is None or step in self.plan.nodes_after_goal else (*ways, _pulled(node, goal))


def _pulled(node: Node, goal: str) -> Way:
    """The way of whoever meets the goal at the node: at once, or at any time until the node would be left."""
    waits = [way.most for way in node.ways()]
    most = None if None in waits else max((wait for wait in waits if wait is not None), default=timedelta())
    return Way(GOAL_MET, goal, met=GOAL, most=most)


def _rounds(station: Station, number: int, way: Way) -> tuple[tuple[str, int, int], ...] | None:
    """The counts after taking the way; None where it has been taken as often as it may be."""
    others = tuple(count for count in station.rounds if count[0] != station.node)
    if way.at_most is None:
        return others
    taken = next((count for name, of, count in station.rounds if (name, of) == (station.node, number)), 0) + 1
    return None if taken > way.at_most else tuple(sorted((*others, (station.node, number, taken))))


def _exhausted(station: Station, ways: Sequence[Way]) -> bool:
    """Whether each bounded way of the node has been taken as often as it can be."""
    return all(
        (station.node, number, way.at_most) in station.rounds
        for number, way in enumerate(ways)
        if way.at_most is not None
    )


@dataclass
class _Search:
    """A search in depth: stations in the order in which all behind them is done, and the first circle met."""

    network: Network
    finished: list[Station] = field(default_factory=list)
    circle: Trail = ()

    def __post_init__(self) -> None:
        hops, start = self.network.hops, self.network.start
        entered, within = {start}, {start}
        stack = [(start, iter(hops[start]))]
        trail: list[Hop] = []
        while stack:
            station, onwards = stack[-1]
            hop = next(onwards, None)
            if hop is None:
                stack.pop()
                self.finished.append(station)
                within.discard(station)
                del trail[-1:]
            elif hop.target is not None and hop.target not in entered:
                entered.add(hop.target)
                within.add(hop.target)
                trail.append(hop)
                stack.append((hop.target, iter(hops[hop.target])))
            elif not self.circle and hop.target in within:
                self.circle = (*trail, hop)
