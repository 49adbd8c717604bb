"""How many marketing messages one contact can get from one journey within seven days, in the worst case.

An upper bound: of all ways, with every wait as short as it can be. Send windows that hold messages back and pauses only
draw them apart, so they need not be known. A week of the calendar holds no more than some seven days.
All functions are about networks whose ways all end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from journeys.findings import KnownTemplates
from journeys.frequency import NEVER
from journeys.model import Cooldown, Journey, PerProperty
from journeys.proofs.durations import longest
from journeys.proofs.network import Network, Station
from journeys.proofs.subject import Subject
from journeys.steps.send import SendNode
from journeys.values import Purpose

WEEK = timedelta(days=7)
_NONE = timedelta()

Counts = Callable[[Station], bool]
"""Which stations send a message that counts."""


@dataclass(frozen=True)
class Sent:
    """A message on a way: the step that sends it, and how long after the entry at the earliest."""

    step_id: str
    after: timedelta


class _Mark(NamedTuple):
    """A station on a way, and the time since the way's first message that counts."""

    station: Station
    elapsed: timedelta
    before: "_Mark | None"


class _Label(NamedTuple):
    """A way up to a station: the time since its first message that counts, and how many there have been."""

    elapsed: timedelta
    messages: int
    mark: _Mark | None = None


def marketing(subject: Subject, known: KnownTemplates) -> Counts:
    """The stations that send a marketing message."""
    templates = {key for key, template in known.items() if template.message_class == Purpose.MARKETING}
    nodes = subject.plan.nodes.items()
    sending = {step_id for step_id, node in nodes if isinstance(node, SendNode) and node.template in templates}
    return lambda station: station.node in sending


def heaviest_week(network: Network, counts: Counts, *, span: timedelta = WEEK) -> tuple[Sent, ...]:
    """The most messages that one way through the journey has within the span, of which the end is left out."""
    labels: dict[Station, list[_Label]] = {station: [] for station in network.order}
    best = _Label(_NONE, 0)
    for station in network.order:
        found = [_marked(label, station, counts) for label in _undominated(labels.pop(station), station, counts)]
        best = max([best, *found], key=lambda label: (label.messages, -label.elapsed))
        for hop in network.hops[station]:
            if hop.target is not None:
                later = (label._replace(elapsed=label.elapsed + hop.way.least) for label in found)
                labels[hop.target] += [label for label in later if label.elapsed < span]
    return _sent(network, best, counts)


def once_each(subject: Subject, counts: Counts, *, span: timedelta = WEEK) -> tuple[Sent, ...] | None:
    """One message of each template, where all that count say by `repeat` that none goes out again within the span.

    However often a contact passes, the gate lets no more through. None: one of them does not say so.
    """
    found: dict[str, Sent] = {}
    for station, at in sorted(earliest(subject.unrolled).items(), key=lambda reached: reached[1]):
        node = subject.plan.nodes[station.node]
        if not counts(station) or not isinstance(node, SendNode):
            continue
        if node.repeat != NEVER and not (isinstance(node.repeat, timedelta) and node.repeat >= span):
            return None
        found.setdefault(node.template, Sent(station.node, at))
    return tuple(found.values())


def _undominated(arriving: list[_Label], station: Station, counts: Counts) -> list[_Label]:
    """The ways to which no other is both as early and as full; one may begin with the station's own message."""
    beginning = [_Label(_NONE, 0)] if counts(station) else []
    kept: list[_Label] = []
    for label in sorted([*arriving, *beginning], key=lambda label: (label.elapsed, -label.messages)):
        if not kept or label.messages > kept[-1].messages:
            kept.append(label)
    return kept


def _marked(label: _Label, station: Station, counts: Counts) -> _Label:
    """The way with the station on it."""
    elapsed, messages, before = label
    return _Label(elapsed, messages + counts(station), _Mark(station, elapsed, before))


def _sent(network: Network, label: _Label, counts: Counts) -> tuple[Sent, ...]:
    marks: list[_Mark] = []
    mark = label.mark
    while mark is not None:
        marks += [mark] if counts(mark.station) else []
        mark = mark.before
    begin = earliest(network)[marks[-1].station] if marks else _NONE
    return tuple(Sent(mark.station.node, begin + mark.elapsed) for mark in reversed(marks))


def earliest(network: Network) -> dict[Station, timedelta]:
    """How long after the entry each station is reached at the earliest."""
    found = {network.start: _NONE}
    for station in network.order:
        for hop in network.hops[station]:
            if hop.target is not None:
                at = found[station] + hop.way.least
                found[hop.target] = min(found.get(hop.target, at), at)
    return found


def _time_left(network: Network) -> dict[Station | None, timedelta]:
    """How long it takes from each station to an end, at least."""
    found: dict[Station | None, timedelta] = {None: _NONE}
    for station in reversed(network.order):
        found[station] = min(hop.way.least + found[hop.target] for hop in network.hops[station])
    return found


def most_passages(journey: Journey, network: Network, counts: Counts, *, span: timedelta = WEEK) -> int | None:
    """How many passages of one contact can have a message that counts within the span; None where nothing bounds it.

    A goal or exit may end a passage directly after a message. Not counted: people who end it, or move a date, and
    enrollments over the API into a journey with its own way in.
    """
    bounds = (_by_rule(journey, network, counts, span), _by_time(journey, network, span))
    return min((bound for bound in bounds if bound is not None), default=None)


def _by_rule(journey: Journey, network: Network, counts: Counts, span: timedelta) -> int | None:
    """As `again` bounds it."""
    again = journey.entry.again
    if again == "never":
        return 1
    if isinstance(again, PerProperty):
        return None
    pause = again.cooldown if isinstance(again, Cooldown) else _NONE
    if pause >= span:
        return 1
    lasts = _shortest_with_message(journey, network, counts)
    if not lasts + pause:
        return None
    # All passages but the first and the last lie within the span as a whole, and there is a pause before all but one.
    return 1 - (pause - span) // (lasts + pause)


def _by_time(journey: Journey, network: Network, span: timedelta) -> int | None:
    """As time bounds it, where it is time that lets contacts in: so long lies between two entries at least."""
    timed, most = journey.entry.timed, longest(network).most
    apart = timed.apart if timed is not None else _NONE
    return 1 + (span + most) // apart if apart and most is not None else None


def _shortest_with_message(journey: Journey, network: Network, counts: Counts) -> timedelta:
    """How long a passage with a message that counts lasts at least."""
    reached, left = earliest(network), _time_left(network)
    interrupted = journey.goal is not None or bool(journey.exit) or journey.exit_when is not None
    times = [at + (_NONE if interrupted else left[place]) for place, at in reached.items() if counts(place)]
    return min(times, default=_NONE)
