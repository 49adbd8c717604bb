"""Dates that stand in properties and attributes: which texts are one, and which only stand in for none.

Producers that have no date often write one all the same: 1 January 1970, the year 1, the year 9999. Such a date would
move a whole contact base on the same day, so it is refused, with a reason that does not repeat the value.
"""

import calendar
import re
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Dates of people and contracts lie here."""

_STAND_INS = frozenset({date(1970, 1, 1), date(1900, 1, 1)})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WIDEST_OFFSET = timedelta(hours=14)
_ISO = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$", re.ASCII | re.DOTALL)


class DateRefusal(StrEnum):
    """Why a value is not used as a date. The text completes a sentence: "The date … `is missing`"."""

    MISSING = "is missing"
    NOT_A_TEXT = "is not written as a text in ISO 8601"
    UNREADABLE = "cannot be read: it is not in ISO 8601, such as 2026-12-24 or 2026-12-24T09:00:00+01:00"
    STAND_IN = "is one that producers write where they have none"
    IMPLAUSIBLE = f"lies outside of the years {FIRST_YEAR} to {LAST_YEAR}"


def read_date(value: Any) -> date | datetime | DateRefusal:
    """The date or instant a property holds, or why it is none.

    Returns:
        A `date`; or a `datetime`, aware where the text names an offset, else a time on the wall of whoever lives by
        it; or the reason why the value is not used.
    """
    if value is None or value == "":
        return DateRefusal.MISSING
    if not isinstance(value, str):
        # Numbers are seconds to some and milliseconds to others, and 0 to all who have no date.
        return DateRefusal.NOT_A_TEXT
    found = _parsed(value.strip())
    return found if isinstance(found, DateRefusal) else _refusal(found) or found


def _parsed(text: str) -> date | datetime | DateRefusal:
    if not _ISO.fullmatch(text):
        return DateRefusal.UNREADABLE
    try:
        return datetime.fromisoformat(text) if len(text) > len("2026-12-24") else date.fromisoformat(text)
    except ValueError:
        return DateRefusal.UNREADABLE


def _refusal(found: date | datetime) -> DateRefusal | None:
    day = found.date() if isinstance(found, datetime) else found
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return DateRefusal.IMPLAUSIBLE
    if day in _STAND_INS or _is_epoch_somewhere(found):
        return DateRefusal.STAND_IN
    return None


def _is_epoch_somewhere(found: date | datetime) -> bool:
    """Whether it is midnight of 1 January 1970 in some zone, written in another."""
    if not isinstance(found, datetime) or found.tzinfo is None:
        return False
    return abs(found - _EPOCH) <= _WIDEST_OFFSET


def anniversary(of: date, year: int) -> date:
    """The day of that year on which the date returns. One of 29 February returns on 28 February in other years."""
    return of.replace(year=year, day=min(of.day, calendar.monthrange(year, of.month)[1]))
