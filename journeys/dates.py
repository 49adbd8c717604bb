"""Dates that stand in properties and attributes: which texts are one, and which only stand in for none.

The one reading for entries and waits (`journeys.occasions`, `journeys.instants`). The rules, stated once:

- A date is a text in ISO 8601: a day, or a time with or without an offset from UTC. Where only its returns count, it
  may lack the year: `--05-03`, `05-03`.
- What people have are days: of an attribute of the contact, and of whatever returns every year, midnight UTC is the day
  it names, wherever the contact lives, for programs without a time zone write days so. What an entry brings is an
  instant: a webinar at midnight UTC begins at eight in the evening in New York.
- Any other instant counts by its day in the contact's zone.
- A 29 February returns on 28 February in other years, or on 1 March where that is asked for.

Producers that have no date often write one all the same: 1 January 1970, the year 1, the year 9999. Such a date would
move a whole contact base on the same day, so it is refused, with a reason that does not repeat the value.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Literal
from zoneinfo import ZoneInfo

FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Dates of people and contracts lie here."""
FURTHEST_YEARS = 100
"""So many years ahead they lie at most."""

LeapDay = Literal["feb-28", "mar-1"]
"""When a 29 February returns in years that have none."""

_STAND_INS = frozenset({date(1970, 1, 1), date(1900, 1, 1)})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WIDEST_OFFSET = timedelta(hours=14)
_YEARLESS = re.compile(r"^(?:--)?([0-9]{2})-([0-9]{2})$", re.ASCII)
_A_LEAP_YEAR = 2000
_ISO = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$", re.ASCII | re.DOTALL)


class DateRefusal(StrEnum):
    """Why a value is not used as a date. The text completes a sentence: "The date … `is missing`"."""

    MISSING = "is missing"
    NOT_A_TEXT = "is not written as a text in ISO 8601"
    UNREADABLE = "cannot be read: it is not in ISO 8601, such as 2026-12-24 or 2026-12-24T09:00:00+01:00"
    STAND_IN = "is one that producers write where they have none"
    IMPLAUSIBLE = f"lies before {FIRST_YEAR}, or more than {FURTHEST_YEARS} years ahead"


@dataclass(frozen=True)
class Yearless:
    """A day of the year of which nobody knows the year; `day` is its return in a leap year."""

    day: date


def read_date(
    value: Any, *, today: date, days: bool = False, yearless: bool = False
) -> date | datetime | Yearless | DateRefusal:
    """The date or instant a property holds, or why it is none.

    Args:
        value: what stands there.
        today: dates more than a hundred years after it are none.
        days: midnight UTC is the day it names.
        yearless: a date may lack the year.

    Returns:
        A `date`; or a `datetime`, aware where the text names an offset, else a time on the wall of whoever lives by
        it; or a `Yearless` day; or the reason why the value is not used.
    """
    if value is None or value == "":
        return DateRefusal.MISSING
    if not isinstance(value, str):
        # Numbers are seconds to some and milliseconds to others, and 0 to all who have no date.
        return DateRefusal.NOT_A_TEXT
    if yearless and (without_year := _YEARLESS.fullmatch(value.strip())):
        return _without_year(int(without_year[1]), int(without_year[2]))
    found = _parsed(value.strip())
    if isinstance(found, DateRefusal):
        return found
    if refusal := _refusal(found, today):
        return refusal
    return found.date() if days and isinstance(found, datetime) and _is_midnight_utc(found) else found


def day_of(found: date | datetime, zone: ZoneInfo) -> date:
    """The day of what was read where somebody lives."""
    if not isinstance(found, datetime):
        return found
    return found.date() if found.tzinfo is None else found.astimezone(zone).date()


def _without_year(month: int, day: int) -> Yearless | DateRefusal:
    try:
        return Yearless(date(_A_LEAP_YEAR, month, day))
    except ValueError:
        return DateRefusal.UNREADABLE


def _is_midnight_utc(found: datetime) -> bool:
    return found.utcoffset() == timedelta() and found.time() == time(0)


def _parsed(text: str) -> date | datetime | DateRefusal:
    if not _ISO.fullmatch(text):
        return DateRefusal.UNREADABLE
    try:
        return datetime.fromisoformat(text) if len(text) > len("2026-12-24") else date.fromisoformat(text)
    except ValueError:
        return DateRefusal.UNREADABLE


def _refusal(found: date | datetime, today: date) -> DateRefusal | None:
    day = found.date() if isinstance(found, datetime) else found
    if not FIRST_YEAR <= day.year <= min(LAST_YEAR, today.year + FURTHEST_YEARS):
        return DateRefusal.IMPLAUSIBLE
    if day in _STAND_INS or _is_epoch_somewhere(found):
        return DateRefusal.STAND_IN
    return None


def _is_epoch_somewhere(found: date | datetime) -> bool:
    """Whether it is midnight of 1 January 1970 in some zone, written in another."""
    if not isinstance(found, datetime) or found.tzinfo is None:
        return False
    return abs(found - _EPOCH) <= _WIDEST_OFFSET


def anniversary(of: date, year: int, leap_day: LeapDay = "feb-28") -> date:
    """The day of that year on which the date returns. One of 29 February returns on the leap day in other years."""
    day = of.replace(year=year, day=min(of.day, calendar.monthrange(year, of.month)[1]))
    return day + timedelta(days=1) if day.day != of.day and leap_day == "mar-1" else day
