"""How long ways through a journey take, at least and at most, and that all of them end.

Counted are the waits of the steps. Not counted: send windows that hold a message back, pauses, people who skip or
retry; exits and a goal without steps, which end any way at once. A goal with steps (`then`) is a way from every step.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from journeys.findings import Note, error, warning
from journeys.proofs.network import Hop, Network, Station, Trail
from journeys.proofs.subject import Subject

_NONE = timedelta()


@dataclass(frozen=True)
class WayThrough:
    """A way from the entry to an end."""

    trail: Trail

    @property
    def least(self) -> timedelta:
        """How long it takes at least."""
        return sum((hop.way.least for hop in self.trail), _NONE)

    @property
    def most(self) -> timedelta | None:
        """How long it takes at most; None where a wait on it has an end that is not known beforehand."""
        waits = [hop.way.most for hop in self.trail]
        return None if None in waits else sum((wait for wait in waits if wait is not None), _NONE)


def every_way_ends(subject: Subject) -> Iterator[Note]:
    """No way goes in a circle without a bound."""
    circle = subject.unrolled.endless
    if circle:
        yield error(
            "endless-way",
            subject.paths[circle[-1].station.node],
            f"A contact can go round here for ever: {subject.tell(circle)}.",
            "Say how often at most it goes round.",
        )
    elif not subject.unrolled.complete:
        what = "It has so many ways that it is not known how long they take and how much they send."
        yield warning("too-many-ways", ("steps",), what, "Repeat less often, or split it into several journeys.")


def shortest(network: Network) -> WayThrough:
    """The way that takes the least time at least, of a network whose ways all end."""
    return _best(network, min, lambda hop: (0, hop.way.least))


def longest(network: Network) -> WayThrough:
    """The way that takes the most time at most, before all one with a wait whose end is not known beforehand."""
    return _best(network, max, _most)


Cost = tuple[int, timedelta]
"""Waits without a known end, and the time of the others."""


def _most(hop: Hop) -> Cost:
    return (1, _NONE) if hop.way.most is None else (0, hop.way.most)


def _best(network: Network, choose: Callable[..., Hop], cost: Callable[[Hop], Cost]) -> WayThrough:
    """The best way: at each station, from the end backwards, the best hop."""
    behind: dict[Station | None, Cost] = {None: (0, _NONE)}
    chosen: dict[Station, Hop] = {}

    def total(hop: Hop) -> Cost:
        (waits, time), (waits_behind, time_behind) = cost(hop), behind[hop.target]
        return waits + waits_behind, time + time_behind

    for station in reversed(network.order):
        hop = choose(network.hops[station], key=total)
        behind[station], chosen[station] = total(hop), hop
    trail = [chosen[network.start]]
    while (target := trail[-1].target) is not None:
        trail.append(chosen[target])
    return WayThrough(tuple(trail))


def ways_through(network: Network, *, most: int) -> Iterator[WayThrough]:
    """The ways from the entry to an end, one by one, of a network whose ways all end; at most so many of them."""
    found = 0
    stack: list[Trail] = [(hop,) for hop in reversed(network.hops[network.start])]
    while stack and found < most:
        trail = stack.pop()
        target = trail[-1].target
        if target is None:
            found += 1
            yield WayThrough(trail)
        else:
            stack += [(*trail, hop) for hop in reversed(network.hops[target])]
