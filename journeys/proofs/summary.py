"""What is known of the ways through a journey, in sentences: how long they take, what they send, one by one."""

from collections.abc import Iterator
from datetime import timedelta

from journeys.duration import describe_duration
from journeys.findings import KnownTemplates
from journeys.proofs.durations import WayThrough, longest, shortest, ways_through
from journeys.proofs.mails import Counts, heaviest_week, marketing
from journeys.proofs.subject import Subject

MOST_WAYS = 20
"""Ways that are told one by one."""
_UNCOUNTED = {False: "send windows, pauses, goal and exit", True: "send windows, pauses and exit"}
"""What may change the time; by whether the goal has steps of its own, which belong to the ways."""


def describe_ways(subject: Subject, known: KnownTemplates) -> Iterator[str]:
    """The durations and messages of the journey as a whole, then of its ways one by one."""
    if not subject.ends:
        yield "It is not known that every way ends."
        return
    network, counts = subject.unrolled, marketing(subject, known)
    least, most = shortest(network).least, longest(network)
    uncounted = _UNCOUNTED[subject.plan.after_goal is not None]
    yield f"Every way ends. It takes {_range(least, most)}; {uncounted} are not counted."
    heaviest = heaviest_week(network, counts)
    yield f"Marketing messages to one contact within 7 days of one passage, at most: {len(heaviest)}."
    ways = list(ways_through(network, most=MOST_WAYS + 1))
    yield from (f"{_one(way, counts)}: {subject.tell(way.trail)}" for way in ways[:MOST_WAYS])
    if len(ways) > MOST_WAYS:
        yield "… and further ways."


def _one(way: WayThrough, counts: Counts) -> str:
    messages = sum(counts(hop.station) for hop in way.trail)
    return f"{_range(way.least, way)}, {messages} marketing message{'' if messages == 1 else 's'}"


def _range(least: timedelta, way: WayThrough) -> str:
    """`2 days`, `2 days to 4 days`, or `at least 2 days` where the end of a wait is not known beforehand."""
    if way.most is None:
        return f"at least {describe_duration(least)}" if least else "a time that is not known beforehand"
    if way.most == least:
        return describe_duration(least)
    return (
        f"{describe_duration(least)} to {describe_duration(way.most)}"
        if least
        else (f"up to {describe_duration(way.most)}")
    )
