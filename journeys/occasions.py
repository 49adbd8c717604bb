"""When a date of a contact comes round: pure functions of the rule, the value, the zone, and the instant to go on from.

The rules, stated once:

- Day and hour are read off the wall clock in the contact's zone. An hour the clocks skip is the first instant after the
  gap; one they repeat is its first occurrence (as in `journeys.timing`).
- A yearly date returns from the year after its own on; without a year (`--05-03` or `05-03`) it returns every year.
- A feast comes each year on its day, wherever the contact lives.
- A return is one and the same wherever the contact moves: where the date is an instant, which falls on another day in
  another zone, the day by UTC stands for it.
- What a date is, is read in `journeys.dates`, as a day; what is none never comes round.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from journeys.dates import LAST_YEAR, DateRefusal, Yearless, anniversary, day_of, read_date
from journeys.entries import DateEntry
from journeys.feasts import feast_day
from journeys.spans import Span
from journeys.timing import wall_instant

_UTC = ZoneInfo("UTC")
FARTHEST_APART = timedelta(days=7)
"""One return of a date comes less than that apart in any two zones, and no two returns come so close to each other.

Mostly that is 26 hours. Where the date is an instant its day differs, too, and a distance in months stretches that.
"""


@dataclass(frozen=True)
class Occasion:
    """One return of a date: the day it falls on, how many years after its first, and the instant (UTC) meant by it.

    `by_utc` is its day by UTC, where the date is an instant that falls on another day in some zones.
    """

    day: date
    years: int | None
    at: datetime
    by_utc: date | None = None

    @property
    def identity(self) -> date:
        """Stands for this return, the same in every zone."""
        return self.by_utc or self.day


@dataclass(frozen=True)
class _Base:
    day: date
    has_year: bool
    by_utc: date | None = None


@dataclass(frozen=True)
class _Return:
    """A day the rule counts from, as in `Occasion`."""

    day: date
    years: int | None = None
    by_utc: date | None = None


def next_occasion(rule: DateEntry, value: Any, zone: ZoneInfo, *, after: datetime) -> Occasion | DateRefusal | None:
    """The first instant later than `after` (aware) that the rule means; None where no more comes.

    Args:
        rule: which return of the date is meant, and at which distance.
        value: what stands in the attribute; of a feast nothing is asked.
        zone: where the contact lives.
        after: occasions up to and including this instant are past.

    Returns:
        The occasion, or why the value is no date.
    """
    if rule.feast is not None:
        days = (feast_day(rule.feast, year) for year in range(after.year - 2, LAST_YEAR + 1))
        return _first(rule, (_Return(day) for day in days), zone, after)
    base = _read(value, zone, today=after.astimezone(zone).date(), yearly=rule.yearly)
    if isinstance(base, DateRefusal):
        return base
    return _first(rule, _returns(rule, base, from_year=after.year - 2), zone, after)


def _first(rule: DateEntry, returns: Iterable[_Return], zone: ZoneInfo, after: datetime) -> Occasion | None:
    occasions = (Occasion(one.day, one.years, _instant(rule, one.day, zone), one.by_utc) for one in returns)
    return next((occasion for occasion in occasions if occasion.at > after), None)


def _read(value: Any, zone: ZoneInfo, *, today: date, yearly: bool) -> _Base | DateRefusal:
    found = read_date(value, today=today, days=True, yearless=yearly)
    if isinstance(found, DateRefusal):
        return found
    if isinstance(found, Yearless):
        return _Base(found.day, has_year=False)
    is_instant = isinstance(found, datetime) and found.tzinfo is not None
    return _Base(day_of(found, zone), has_year=True, by_utc=day_of(found, _UTC) if is_instant else None)


def _returns(rule: DateEntry, base: _Base, *, from_year: int) -> Iterator[_Return]:
    """The days the rule counts from, in their order, with the years gone by; none of interest lies before."""
    if not rule.yearly:
        yield _Return(base.day, by_utc=base.by_utc)
        return
    first = max(base.day.year + 1, from_year) if base.has_year else from_year
    for year in range(first, LAST_YEAR + 1):
        gone_by = year - base.day.year
        by_utc = anniversary(base.by_utc, base.by_utc.year + gone_by, rule.leap_day) if base.by_utc else None
        yield _Return(anniversary(base.day, year, rule.leap_day), gone_by if base.has_year else None, by_utc)


def _instant(rule: DateEntry, day: date, zone: ZoneInfo) -> datetime:
    return wall_instant(datetime.combine(_shifted(rule, day), rule.at), zone)


def _shifted(rule: DateEntry, day: date) -> date:
    offset = rule.offset
    if isinstance(offset, Span):
        return offset.before(day) if rule.before else offset.after(day)
    return day - offset if rule.before else day + offset
