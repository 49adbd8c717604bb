"""Which instant a moment is: pure functions of the moment, where the contact lives, and what is known of the date.

The rules, stated once:

- Days are counted on the calendar of the contact's own time zone, from the local day on which the step was reached.
- Where a month has no such day, its last one is taken: 31 January + 1 month is the last of February.
- What a date is, and when it returns, is read in `journeys.dates`.
- A time of day that the clocks skip is the first instant after the gap; one that they repeat is its first occurrence,
  or the second where the first has passed.
- The best time of day (`journeys.send_time`) is its next occurrence, now or later: one that has passed, be it by a
  minute, is that of the next day, so two such waits lie a day apart. `in_window` leaves out occurrences at which the
  window is closed.
- A date without an offset from UTC, and an `until` without one, are times on the contact's wall.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from journeys.best_time import BestTimeMoment
from journeys.dates import LAST_YEAR, DateRefusal, Yearless, anniversary, read_date
from journeys.moments import (
    CalendarMoment,
    DateMoment,
    InstantMoment,
    Moment,
    WindowMoment,
    date_source,
)
from journeys.spans import Span
from journeys.spreading import next_place
from journeys.timing import next_occurrence, open_every_day, wall_instant
from journeys.window import Window


@dataclass(frozen=True)
class Surroundings:
    """What a moment is resolved in: where the contact lives, and the instants that count. All instants are aware."""

    zone: ZoneInfo
    reached: datetime
    """When the step was reached: calendar spans are counted from here."""
    now: datetime
    """The present: the next window and the next return of a date are sought from here."""
    window: Window | None = None
    closed: Callable[[date], bool] = open_every_day
    value: Any = None
    """What stands where the moment looks for its date; a `datetime` (aware) is the instant itself."""
    place: float = 0.0
    """The contact's place in the spread of a window, see `journeys.spreading`."""
    best: time | None = None
    """The contact's best time of day, where it is known."""


def resolve(moment: Moment, around: Surroundings) -> datetime | DateRefusal:
    """The instant (UTC) that the moment is for the contact; or why its date cannot be used.

    Raises:
        journeys.timing.NeverOpens: the window does not open within 366 days.
    """
    match moment:
        case CalendarMoment():
            day = moment.span.after(around.reached.astimezone(around.zone).date())
            return wall_instant(datetime.combine(day, moment.at), around.zone, not_before=around.reached)
        case WindowMoment():
            return next_place((around.window,), around.now, around.zone, around.closed, place=around.place)
        case InstantMoment():
            return _instant(moment.until, around.zone)
        case DateMoment():
            found = _read(moment, around)
            return found if isinstance(found, DateRefusal) else _dated(moment, found, around)
        case BestTimeMoment(best_time=asked):
            window = around.window if asked.in_window else None
            return next_occurrence(around.best or asked.otherwise, around.now, around.zone, window, around.closed)


def _read(moment: DateMoment, around: Surroundings) -> date | datetime | Yearless | DateRefusal:
    if isinstance(around.value, datetime):
        return around.value
    days = moment.yearly or date_source(moment.reference)[0] == "contact"
    today = around.now.astimezone(around.zone).date()
    return read_date(around.value, today=today, days=days, yearless=moment.yearly)


def _dated(moment: DateMoment, found: date | datetime | Yearless, around: Surroundings) -> datetime | DateRefusal:
    if not moment.yearly:
        assert not isinstance(found, Yearless)  # only read where the returns count
        return _beside(moment, found, around.zone)
    instants = (_beside(moment, returned, around.zone) for returned in _returns(moment, found, around))
    return next((instant for instant in instants if instant >= around.now), DateRefusal.IMPLAUSIBLE)


def _returns(moment: DateMoment, found: date | datetime | Yearless, around: Surroundings) -> Iterator[date | datetime]:
    """The date, and its returns in each year since; a time of day stays what it is on the contact's wall."""
    first = (around.now.astimezone(around.zone) - _farthest_after(moment)).year - 1
    if isinstance(found, Yearless):
        local: date | datetime = found.day
    else:
        local = found.astimezone(around.zone) if isinstance(found, datetime) and found.tzinfo else found
        first = max(first, local.year)
    for year in range(first, LAST_YEAR + 1):
        if isinstance(local, datetime):
            yield datetime.combine(anniversary(local.date(), year, moment.leap_day), local.time())
        else:
            yield anniversary(local, year, moment.leap_day)


def _farthest_after(moment: DateMoment) -> timedelta:
    """How long ago a date may have returned whose moment is still ahead."""
    if moment.before:
        return timedelta()
    return moment.offset if isinstance(moment.offset, timedelta) else timedelta(days=moment.offset.days()[1])


def _beside(moment: DateMoment, found: date | datetime, zone: ZoneInfo) -> datetime:
    """The instant at the moment's distance from the date."""
    offset = moment.offset
    if moment.at is None and isinstance(offset, timedelta):
        instant = _instant(found, zone)
        return instant - offset if moment.before else instant + offset
    local = found.astimezone(zone) if isinstance(found, datetime) and found.tzinfo else found
    day, wall = (local.date(), local.time()) if isinstance(local, datetime) else (local, time(0))
    return wall_instant(datetime.combine(_shifted(moment, day, offset), moment.at or wall), zone)


def _shifted(moment: DateMoment, day: date, offset: timedelta | Span) -> date:
    if isinstance(offset, Span):
        return offset.before(day) if moment.before else offset.after(day)
    return day - offset if moment.before else day + offset


def _instant(found: date | datetime, zone: ZoneInfo) -> datetime:
    """The instant of what was read: a day begins at midnight, and what has no offset is on the contact's wall."""
    if not isinstance(found, datetime):
        return wall_instant(datetime.combine(found, time(0)), zone)
    return wall_instant(found, zone) if found.tzinfo is None else found.astimezone(UTC)


def describe_refusal(moment: DateMoment, refusal: DateRefusal) -> str:
    """Why there is no instant, in a sentence without the value: a birthday is personal."""
    source, path = date_source(moment.reference)
    return f"The date '{path}' of the {source} {refusal}."
