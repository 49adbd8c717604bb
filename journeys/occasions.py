"""When a date of a contact comes round: pure functions of the rule, the value, the zone, and the instant to go on from.

The rules, stated once:

- Day and hour are read off the wall clock in the contact's zone. An hour the clocks skip is the first instant after the
  gap; one they repeat is its first occurrence (as in `journeys.timing`).
- A yearly date returns from the year after its own on; without a year (`--05-03` or `05-03`) it returns every year.
- A feast comes each year on its day, wherever the contact lives.
- What a date is, is read in `journeys.dates`, as a day; what is none never comes round.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from journeys.dates import LAST_YEAR, DateRefusal, Yearless, anniversary, day_of, read_date
from journeys.entries import DateEntry
from journeys.feasts import feast_day
from journeys.spans import Span
from journeys.timing import wall_instant


@dataclass(frozen=True)
class Occasion:
    """One return of a date: the day it falls on, how many years after its first, and the instant (UTC) meant by it."""

    day: date
    years: int | None
    at: datetime


@dataclass(frozen=True)
class _Base:
    day: date
    has_year: bool


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
        return _first(rule, ((day, None) for day in days), zone, after)
    base = _read(value, zone, today=after.astimezone(zone).date(), yearly=rule.yearly)
    if isinstance(base, DateRefusal):
        return base
    return _first(rule, _returns(rule, base, from_year=after.year - 2), zone, after)


def _first(
    rule: DateEntry, returns: Iterable[tuple[date, int | None]], zone: ZoneInfo, after: datetime
) -> Occasion | None:
    occasions = (Occasion(day, years, _instant(rule, day, zone)) for day, years in returns)
    return next((occasion for occasion in occasions if occasion.at > after), None)


def _read(value: Any, zone: ZoneInfo, *, today: date, yearly: bool) -> _Base | DateRefusal:
    found = read_date(value, today=today, days=True, yearless=yearly)
    if isinstance(found, DateRefusal):
        return found
    return (
        _Base(found.day, has_year=False) if isinstance(found, Yearless) else _Base(day_of(found, zone), has_year=True)
    )


def _returns(rule: DateEntry, base: _Base, *, from_year: int) -> Iterator[tuple[date, int | None]]:
    """The days the rule counts from, in their order, with the years gone by; none of interest lies before."""
    if not rule.yearly:
        yield base.day, None
        return
    first = max(base.day.year + 1, from_year) if base.has_year else from_year
    for year in range(first, LAST_YEAR + 1):
        yield anniversary(base.day, year, rule.leap_day), year - base.day.year if base.has_year else None


def _instant(rule: DateEntry, day: date, zone: ZoneInfo) -> datetime:
    return wall_instant(datetime.combine(_shifted(rule, day), rule.at), zone)


def _shifted(rule: DateEntry, day: date) -> date:
    offset = rule.offset
    if isinstance(offset, Span):
        return offset.before(day) if rule.before else offset.after(day)
    return day - offset if rule.before else day + offset
