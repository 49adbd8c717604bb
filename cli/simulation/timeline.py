"""What happened in a simulation, as lines for people: when, in the contact's own time, what, and why."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo

from cli.simulation.world import Happening, Moment, World
from journeys.describe import describe_node
from journeys.plan import Plan

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def local_time(instant: datetime, zone: tzinfo) -> str:
    """`Mon 8 Jun 2026 08:00`: the minute that runs, in the zone."""
    local = instant.astimezone(zone)
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year} {local:%H:%M}"


def lines(world: World) -> list[str]:
    """The log of a world, in the order of time; an instant is written once for all that happened in that minute."""
    told: list[str] = []
    before = ""
    for moment in sorted(world.log, key=lambda moment: moment.at):
        when = local_time(moment.at, world.zone)
        told.append(f"{when if when != before else '':<22}  {_sentence(moment, world)}")
        before = when
    return told


def _sentence(moment: Moment, world: World) -> str:
    return _TELLERS[moment.what](moment, world)


def _event(moment: Moment, _: World) -> str:
    return f"event {moment.subject}"


def _unusable(moment: Moment, _: World) -> str:
    return f"event {moment.subject} cannot be used: {moment.because}"


def _entered(moment: Moment, _: World) -> str:
    return f"enters the journey {moment.subject}" + (f" by {moment.because}" if moment.because else "")


def _turned_away(moment: Moment, _: World) -> str:
    return f"does not enter ({moment.subject}): {moment.because}"


def _step(moment: Moment, world: World) -> str:
    reason = f" ({moment.because})" if moment.because and moment.because != moment.result else ""
    return f"{moment.subject}: {_described(world.plan, moment.subject)} → {moment.result}{reason}"


def _mail(moment: Moment, _: World) -> str:
    return f"MAIL {moment.subject!r}: {moment.result}"


def _deferred(moment: Moment, _: World) -> str:
    return f"mail {moment.subject!r} waits: {moment.because}"


def _attention(moment: Moment, _: World) -> str:
    return f"{moment.subject} NEEDS ATTENTION: {moment.because}"


def _ended(moment: Moment, _: World) -> str:
    return f"leaves: {moment.subject.replace('_', ' ')}" + (f", {moment.because}" if moment.because else "")


def _described(plan: Plan, step: str) -> str:
    return describe_node(plan.nodes[step])


_TELLERS: Mapping[Happening, Callable[[Moment, World], str]] = {
    Happening.EVENT: _event,
    Happening.UNUSABLE: _unusable,
    Happening.ENTERED: _entered,
    Happening.TURNED_AWAY: _turned_away,
    Happening.STEP: _step,
    Happening.MAIL: _mail,
    Happening.DEFERRED: _deferred,
    Happening.ATTENTION: _attention,
    Happening.ENDED: _ended,
}


def standing(world: World) -> Iterator[str]:
    """Where each running enrollment stands now."""
    for ride in world.rides.values():
        if ride.running and ride.progress is not None:
            due = f" until {local_time(ride.due, world.zone)}" if ride.due else ""
            yield f"{ride.state.replace('_', ' ')} at {ride.progress.step!r}{due}"


def indented(told: Sequence[str], by: str = "  ") -> str:
    """Lines as a block."""
    return "\n".join(f"{by}{line}" for line in told)
