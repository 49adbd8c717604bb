"""At what time of day a contact reacts most to mails, and which of its reactions say so. Pure and deterministic.

The rules, stated once:

- Counted are openings and clicks by people in the last 180 days, by sittings (`journeys.sittings`): a click weighs as
  much as three openings, and everything half as much as what is 60 days younger.
- Times of day are read off the wall clock in the contact's present zone, as it ran on the day of the reaction.
- Each sitting speaks for the five minutes in which it began most, and less and less for those up to an hour away, on
  either side and round midnight: a kernel density on the circle of the day, with a triangle of an hour as its kernel.
- The best time is the slot within the hours that weighs most; of equal ones the first, as the hours run.
- The contact's own quiet hours are none of the hours, nor are those in which a window is closed that is to be kept to.
- What lies an hour or more outside of the hours says nothing of them. Fewer than five sittings that do: `otherwise`.

A density instead of the fullest hour: with a histogram 17:55 and 18:05 would be strangers. The triangle instead of a
bell: it ends, so that every reaction that led to a time can be named, and it is the same on every machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import fsum
from zoneinfo import ZoneInfo

from journeys.best_time import SLOT, SLOTS, Hours, slot_of, time_of
from journeys.sittings import LOOK_BACK, Reaction, Sitting, sittings_of
from journeys.window import Window, write_time

ENOUGH = 5
"""With fewer sittings that bear on the hours too little is known."""
_REACH = timedelta(hours=1) // SLOT
_HOUR = timedelta(hours=1) // SLOT
_SAME = 1e-9
"""Weights that differ by less, in proportion, are equal: what is computed in another order must not decide."""


@dataclass(frozen=True)
class SendTime:
    """The time of day, and a sentence on why, without personal data."""

    time: time
    because: str
    hours: tuple[float, ...]
    """By hour of the day, its part (0 to 1) of what all sittings weigh; all 0 where there are none."""
    sittings: tuple[Sitting, ...]
    """Those that counted, oldest first."""
    leading: frozenset[Sitting] = frozenset()
    """Those of them that speak for the time; none where it is `otherwise`."""
    thin: bool = False
    """Whether too little was known, so that the time is `otherwise`."""


def send_time(
    reactions: Sequence[Reaction],
    zone: ZoneInfo,
    now: datetime,
    hours: Hours,
    *,
    window: Window | None = None,
    quiet: Window | None = None,
) -> SendTime:
    """The contact's best time of day.

    Args:
        reactions: What is known of the contact, in any order.
        zone: Where it lives.
        now: The present (aware).
        hours: Where the time is sought, and what it is otherwise.
        window: Where given, only times of day at which it may be open are sought.
        quiet: Open outside the contact's quiet hours; None where it has none.
    """
    sittings = sittings_of(reactions, now)
    slots = tuple(_slot(sitting, zone) for sitting in sittings)
    weights = [sitting.weight(now) for sitting in sittings]
    allowed = tuple(hours.slots(window, quiet))
    near = {(slot + off) % SLOTS for slot in allowed for off in range(1 - _REACH, _REACH)}
    bearing = [(slot, weight) for slot, weight in zip(slots, weights, strict=True) if slot in near]
    by_hour = _by_hour(slots, weights)
    where = _where(hours, window, quiet)
    if len(bearing) < ENOUGH:
        because = _too_little(len(bearing), where, hours)
        return SendTime(hours.otherwise, because, by_hour, sittings, thin=True)
    best = _best(allowed, bearing)
    leading = frozenset(one for one, slot in zip(sittings, slots, strict=True) if _distance(slot, best) < _REACH)
    because = _told(best, len(leading), len(sittings), where)
    return SendTime(time_of(best), because, by_hour, sittings, leading)


def _slot(sitting: Sitting, zone: ZoneInfo) -> int:
    return slot_of(sitting.began.astimezone(zone).time())


def _distance(one: int, other: int) -> int:
    """How far two slots are apart, the short way round the clock."""
    apart = abs(one - other)
    return min(apart, SLOTS - apart)


def _best(allowed: Sequence[int], weighed: Sequence[tuple[int, float]]) -> int:
    """The slot that weighs most; of equal ones the first."""
    at: list[list[float]] = [[] for _ in range(SLOTS)]
    for slot, weight in weighed:
        at[slot].append(weight)
    sums = [fsum(weights) for weights in at]
    totals = {
        slot: fsum((1 - abs(off) / _REACH) * sums[(slot + off) % SLOTS] for off in range(1 - _REACH, _REACH))
        for slot in allowed
    }
    most = max(totals.values()) * (1 - _SAME)
    return next(slot for slot in allowed if totals[slot] >= most)


def _by_hour(slots: Sequence[int], weights: Sequence[float]) -> tuple[float, ...]:
    total = fsum(weights)
    pairs = tuple(zip(slots, weights, strict=True))
    return tuple(
        fsum(weight for slot, weight in pairs if slot // _HOUR == hour) / total if total else 0.0 for hour in range(24)
    )


def _where(hours: Hours, window: Window | None, quiet: Window | None) -> str:
    """The hours in words, to stand behind a verb or a noun; the contact's own are its business."""
    named = "" if hours.whole_day else f" from {write_time(hours.from_)} to {write_time(hours.to)}"
    windowed = " in the window's hours" if window is not None and window.from_ != window.to else ""
    return f"{named}{windowed}{' outside its quiet hours' if quiet is not None else ''}"


def _told(best: int, leading: int, times: int, where: str) -> str:
    begin, end = (write_time(time_of(best + off)) for off in (1 - _REACH, _REACH))
    return (
        f"{write_time(time_of(best))} is when this contact reacts most{where}: {leading} of the {times} times it opened"
        f" or clicked a mail in the last {LOOK_BACK.days} days were between {begin} and {end}."
    )


def _too_little(known: int, where: str, hours: Hours) -> str:
    near = f" near the hours{where}" if where else ""
    return (
        f"This contact opened or clicked a mail {known} {'time' if known == 1 else 'times'}{near} in the last "
        f"{LOOK_BACK.days} days, and {ENOUGH} are needed to tell its best time: {write_time(hours.otherwise)} is taken."
    )
