"""Which values are dates, and which only stand in for none."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.dates import DateRefusal, anniversary, read_date


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-12-24", date(2026, 12, 24)),
        (" 2026-12-24 ", date(2026, 12, 24)),
        ("2026-12-24T09:00:00Z", datetime(2026, 12, 24, 9, tzinfo=UTC)),
        ("2026-12-24T09:00:00.5+01:00", datetime(2026, 12, 24, 9, 0, 0, 500_000, timezone(timedelta(hours=1)))),
        ("2026-12-24 09:00", datetime(2026, 12, 24, 9)),  # noqa: DTZ001 -- a time on the contact's wall
        ("1969-12-31", date(1969, 12, 31)),
        ("1970-01-02", date(1970, 1, 2)),
        ("2000-02-29", date(2000, 2, 29)),
    ],
)
def test_iso_8601_is_read(text: str, found: date | datetime) -> None:
    assert read_date(text) == found


@pytest.mark.parametrize(
    ("value", "refusal"),
    [
        (None, DateRefusal.MISSING),
        ("", DateRefusal.MISSING),
        (0, DateRefusal.NOT_A_TEXT),
        (1_766_566_800, DateRefusal.NOT_A_TEXT),
        (False, DateRefusal.NOT_A_TEXT),
        ({"year": 2026}, DateRefusal.NOT_A_TEXT),
        ("24.12.2026", DateRefusal.UNREADABLE),
        ("2026-02-30", DateRefusal.UNREADABLE),
        ("2026-W52-4", DateRefusal.UNREADABLE),
        ("20261224", DateRefusal.UNREADABLE),
        ("tomorrow", DateRefusal.UNREADABLE),
        ("2026-12-24T", DateRefusal.UNREADABLE),
        ("2026-12-24T25:00:00Z", DateRefusal.UNREADABLE),
        ("\x00", DateRefusal.UNREADABLE),
        ("1970-01-01", DateRefusal.STAND_IN),
        ("1970-01-01T00:00:00Z", DateRefusal.STAND_IN),
        ("1970-01-01T01:00:00+01:00", DateRefusal.STAND_IN),
        ("1969-12-31T16:00:00-08:00", DateRefusal.STAND_IN),
        ("1969-12-31T23:00:00Z", DateRefusal.STAND_IN),
        ("1970-01-01 00:00", DateRefusal.STAND_IN),
        ("1900-01-01", DateRefusal.STAND_IN),
        ("0001-01-01T00:00:00", DateRefusal.IMPLAUSIBLE),
        ("1899-12-30", DateRefusal.IMPLAUSIBLE),
        ("9999-12-31", DateRefusal.IMPLAUSIBLE),
        ("2200-01-01", DateRefusal.IMPLAUSIBLE),
    ],
)
def test_what_is_no_date_is_refused_with_its_reason(value: Any, refusal: DateRefusal) -> None:
    assert read_date(value) is refusal


@given(st.one_of(st.text(), st.floats(), st.booleans(), st.lists(st.integers()), st.dates().map(str)))
def test_nothing_that_producers_send_raises(value: Any) -> None:
    found = read_date(value)
    assert isinstance(found, date | DateRefusal)


@given(st.dates(date(1900, 1, 2), date(2199, 12, 31)).filter(lambda day: day != date(1970, 1, 1)))
def test_every_plausible_day_is_read_back(day: date) -> None:
    assert read_date(day.isoformat()) == day


@pytest.mark.parametrize(
    ("born", "year", "day"),
    [
        ("2000-02-29", 2026, "2026-02-28"),
        ("2000-02-29", 2028, "2028-02-29"),
        ("2000-02-28", 2028, "2028-02-28"),
        ("1999-12-31", 2026, "2026-12-31"),
    ],
)
def test_a_birthday_on_29_february_is_on_28_february_in_other_years(born: str, year: int, day: str) -> None:
    assert anniversary(date.fromisoformat(born), year) == date.fromisoformat(day)


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.integers(1900, 2199))
def test_every_date_returns_once_in_every_year_in_its_own_month(born: date, year: int) -> None:
    found = anniversary(born, year)
    assert (found.year, found.month) == (year, born.month)
