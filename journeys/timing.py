"""When a send window opens next, in the contact's own time zone. Pure: the present moment is an argument.

The rules, stated once:

- Days and hours are read off the wall clock in the contact's zone, never off UTC or today's offset.
- A night (`from` later than `to`) belongs to the day it opens: weekday and holiday are judged for that day.
- An opening that falls into an hour the clocks skip is moved to the first instant after the gap, if that is inside.
- In the hour that the clocks repeat, the window is open whenever the wall clock reads a time inside it.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from journeys.window import Window
from kit.errors import Invalid

HORIZON_DAYS = 366
_DAY = timedelta(days=1)


class NeverOpens(Invalid):
    """The window does not open within 366 days."""


def open_every_day(_: date) -> bool:
    """The calendar without closed days: False for every date."""
    return False


def next_opening(
    window: Window | None, now: datetime, zone: tzinfo, closed: Callable[[date], bool] = open_every_day
) -> datetime:
    """The first instant, not before `now`, at which the window is open; `now` itself where it is open, or no window.

    Args:
        window: days and hours; None is always open.
        now: aware.
        zone: where the contact lives.
        closed: whether a date is a holiday there; asked only where the window respects holidays.

    Returns:
        An aware datetime in UTC.

    Raises:
        ValueError: `now` is naive.
        NeverOpens: the window does not open within 366 days.
    """
    if now.tzinfo is None:
        raise ValueError("the present moment must be aware")
    start = now.astimezone(UTC)
    if is_open(window, start, zone, closed):
        return start
    assert window is not None
    first = start.astimezone(zone).date() - _DAY
    opens = time(0) if window.from_ == window.to else window.from_
    found: list[datetime] = []
    for day in (first + number * _DAY for number in range(HORIZON_DAYS + 2)):
        # Where the clocks go back over midnight a day comes twice, so the day after the first find is looked at too.
        finished = bool(found)
        instants = (instant for instant in _changes(opens, day, zone) if instant >= start)
        found += [instant for instant in instants if is_open(window, instant, zone, closed)]
        if finished:
            break
    if not found:
        raise NeverOpens(
            f"The window does not open within {HORIZON_DAYS} days.",
            remedy="Give it more days or hours, or set `holidays: false`.",
        )
    return min(found)


def is_open(
    window: Window | None, moment: datetime, zone: tzinfo, closed: Callable[[date], bool] = open_every_day
) -> bool:
    """Whether the wall clock in the zone reads a time inside the window at this (aware) moment."""
    if window is None:
        return True
    local = moment.astimezone(zone)
    day, wall = local.date(), local.time()

    def opens_on(date_of_opening: date) -> bool:
        return date_of_opening.weekday() in window.days and not (window.holidays and closed(date_of_opening))

    if window.from_ == window.to:
        return opens_on(day)
    if window.from_ < window.to:
        return window.from_ <= wall < window.to and opens_on(day)
    return (wall >= window.from_ and opens_on(day)) or (wall < window.to and opens_on(day - _DAY))


def first_closing(
    window: Window | None,
    opening: datetime,
    end: datetime,
    zone: tzinfo,
    closed: Callable[[date], bool] = open_every_day,
) -> datetime:
    """The first instant (UTC) behind `opening` (aware) at which the window closes; `end` (aware) at the latest.

    A window of whole days closes at midnight, though the next day may be another of its days.
    """
    if window is None:
        return end
    day, walls = opening.astimezone(zone).date(), {window.to, time(0)}
    days = (day + number * _DAY for number in range((end - opening).days + 2))
    instants = sorted(one for day_ in days for wall in walls for one in _changes(wall, day_, zone))
    whole_days = window.from_ == window.to

    def over(instant: datetime) -> bool:
        return not is_open(window, instant, zone, closed) or (whole_days and instant.astimezone(zone).date() != day)

    return next((instant for instant in instants if opening < instant < end and over(instant)), end)


def _changes(wall: time, day: date, zone: tzinfo) -> Iterator[datetime]:
    """The instants (UTC) of a local day at which a window may open or close at this time, or by a change of clocks."""
    for fold in (0, 1):
        yield datetime.combine(day, wall, tzinfo=zone).replace(fold=fold).astimezone(UTC)
    begin, end = (datetime.combine(date_, time(0), tzinfo=zone).astimezone(UTC) for date_ in (day, day + _DAY))
    if _offset(begin, zone) != _offset(end, zone):
        yield _transition(begin, end, zone)


def _transition(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The first second with the offset of `after`, which differs from that of `before`."""
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if _offset(middle, zone) == _offset(after, zone):
            after = middle
        else:
            before = middle
    return after


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def wall_instant(wall: datetime, zone: tzinfo, *, not_before: datetime | None = None) -> datetime:
    """The instant at which the wall clock in the zone reads this time.

    Args:
        wall: date and time of day, naive.
        zone: where the clock hangs.
        not_before: of a time that the clocks repeat, the second is taken where the first lies before this (aware).

    Returns:
        An aware datetime in UTC. For a time that the clocks skip, the first instant after the gap; for one that they
        repeat, its first occurrence.

    Raises:
        ValueError: `wall` is aware.
    """
    if wall.tzinfo is not None:
        raise ValueError("a time on the wall has no offset")
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if second < first:  # in a gap the fold reads the clock as it runs behind the change, then before it
        return _transition(second, first, zone)
    return second if not_before is not None and first < not_before else first


def next_occurrence(
    wall: time,
    now: datetime,
    zone: tzinfo,
    window: Window | None = None,
    closed: Callable[[date], bool] = open_every_day,
) -> datetime:
    """The first instant (UTC), not before `now` (aware), at which the clock reads a time of day and the window is open.

    A time that the clocks skip is the first instant after the gap, as in `wall_instant`.

    Raises:
        NeverOpens: within 366 days the window is never open at that time of day.
    """
    first = now.astimezone(zone).date() - _DAY  # where the clocks go back over midnight, yesterday comes again
    for number in range(HORIZON_DAYS + 2):
        wanted = datetime.combine(first + number * _DAY, wall)
        instant = wall_instant(wanted, zone, not_before=now)
        if instant >= now and is_open(window, instant, zone, closed):
            return instant
    raise NeverOpens(
        f"Within {HORIZON_DAYS} days the window is never open at {wall:%H:%M}.",
        remedy="Give the window more days or hours, or set `holidays: false`.",
    )


@cache
def zone_names() -> frozenset[str]:
    """The names of all time zones of the IANA database."""
    return frozenset(available_timezones())


def zone_or_default(name: str | None, default: str) -> tuple[ZoneInfo, str | None]:
    """The time zone a contact lives in, and a sentence where another than the one named is used.

    The rule: the zone named, else the default, else UTC. Names are those of the IANA database, case-sensitive.
    The sentence does not repeat the unknown name, which may hold anything.
    """
    names = zone_names()
    if name in names:
        return ZoneInfo(name), None
    lacking = "The time zone of the contact is unknown" if name else "The contact has no time zone"
    if default in names:
        return ZoneInfo(default), f"{lacking}: {default} is used."
    return ZoneInfo("UTC"), f"{lacking}, and the default is no IANA time zone: UTC is used."
