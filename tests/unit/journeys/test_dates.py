"""Which values are dates, and which only stand in for none."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.dates import DateRefusal, Yearless, anniversary, day_of, read_date
from journeys.entries import DateEntry
from journeys.instants import Surroundings, resolve
from journeys.moments import DateMoment
from journeys.occasions import next_occasion

TODAY = date(2099, 6, 1)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ZONES = [ZoneInfo(name) for name in ("America/New_York", "Europe/Berlin", "Asia/Tokyo", "Pacific/Kiritimati")]


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
    assert read_date(text, today=TODAY) == found


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
    assert read_date(value, today=TODAY) is refusal


@given(st.one_of(st.text(), st.floats(), st.booleans(), st.lists(st.integers()), st.dates().map(str)))
def test_nothing_that_producers_send_raises(value: Any) -> None:
    found = read_date(value, today=TODAY)
    assert isinstance(found, date | DateRefusal)


@given(st.dates(date(1900, 1, 2), date(2199, 12, 31)).filter(lambda day: day != date(1970, 1, 1)))
def test_every_plausible_day_is_read_back(day: date) -> None:
    assert read_date(day.isoformat(), today=TODAY) == day


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


def test_a_29_february_may_return_on_1_march() -> None:
    born = date(2000, 2, 29)
    assert [anniversary(born, year, "mar-1") for year in (2026, 2028)] == [date(2026, 3, 1), date(2028, 2, 29)]
    assert anniversary(date(2001, 2, 28), 2026, "mar-1") == date(2026, 2, 28)


@pytest.mark.parametrize("text", ["--05-03", "05-03", " --05-03 "])
def test_a_date_may_lack_the_year_where_only_its_returns_count(text: str) -> None:
    found = read_date(text, today=TODAY, yearless=True)
    assert isinstance(found, Yearless)
    assert (found.day.month, found.day.day) == (5, 3)
    assert read_date(text, today=TODAY) is DateRefusal.UNREADABLE
    assert read_date("--02-30", today=TODAY, yearless=True) is DateRefusal.UNREADABLE


def test_midnight_utc_is_a_day_where_days_are_meant_and_an_instant_elsewhere() -> None:
    text = "1990-05-03T00:00:00Z"
    assert read_date(text, today=TODAY, days=True) == date(1990, 5, 3)
    instant = read_date(text, today=TODAY)
    assert isinstance(instant, datetime)
    assert day_of(instant, ZONES[0]) == date(1990, 5, 2)
    for other in ("1990-05-03T00:00:00+02:00", "1990-05-03T00:00:01Z", "1990-05-03T00:00"):
        assert isinstance(read_date(other, today=TODAY, days=True), datetime)


def test_more_than_a_hundred_years_ahead_is_no_date() -> None:
    assert read_date("2126-12-31", today=NOW.date()) == date(2126, 12, 31)
    assert read_date("2127-01-01", today=NOW.date()) is DateRefusal.IMPLAUSIBLE


def in_a_wait(value: Any, zone: ZoneInfo, **parts: Any) -> datetime | DateRefusal:
    moment = DateMoment.model_validate({"on": "$contact.birthday", "at": "09:00", **parts})
    return resolve(moment, Surroundings(zone=zone, reached=NOW, now=NOW, value=value))


def at_an_entry(value: Any, zone: ZoneInfo, **parts: Any) -> datetime | DateRefusal | None:
    found = next_occasion(DateEntry.model_validate({"of": "birthday", **parts}), value, zone, after=NOW)
    return found if found is None or isinstance(found, DateRefusal) else found.at


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize(
    "value",
    [
        "1990-05-03",
        "1990-05-03T00:00:00Z",
        "1990-05-03T16:20:00+02:00",
        "1990-05-03T23:30:00Z",
        "--05-03",
        "05-03",
        "2000-02-29",
        "--02-29",
        "2190-01-01",
        "1970-01-01",
        "3 May",
        19_900_503,
        None,
    ],
)
@pytest.mark.parametrize("leap_day", ["feb-28", "mar-1"])
def test_a_yearly_date_of_the_contact_is_the_same_to_an_entry_and_to_a_wait(
    value: Any, zone: ZoneInfo, leap_day: str
) -> None:
    parts = {"yearly": True, "leap_day": leap_day}
    assert in_a_wait(value, zone, **parts) == at_an_entry(value, zone, **parts)


days = st.dates(date(1890, 1, 1), date(2140, 12, 31))
texts = st.one_of(
    days.map(str),
    days.map(lambda day: f"{day}T00:00:00Z"),
    st.datetimes(datetime(1890, 1, 1), datetime(2140, 1, 1), timezones=st.sampled_from(ZONES)).map(  # noqa: DTZ001
        datetime.isoformat
    ),
    days.map(lambda day: f"--{day:%m-%d}"),
    st.text(max_size=12),
)


@given(texts, st.sampled_from(ZONES), st.sampled_from(["feb-28", "mar-1"]))
def test_whatever_stands_in_an_attribute_entry_and_wait_read_the_same(
    value: str, zone: ZoneInfo, leap_day: str
) -> None:
    once = (in_a_wait(value, zone), at_an_entry(value, zone))
    assert once[0] == once[1] or (once[1] is None and isinstance(once[0], datetime) and once[0] <= NOW)
    parts = {"yearly": True, "leap_day": leap_day}
    wait, entry = in_a_wait(value, zone, **parts), at_an_entry(value, zone, **parts)
    # A wait takes the date itself, too; an entry only its returns.
    still_to_come = isinstance(wait, datetime) and wait == in_a_wait(value, zone)
    assert wait == entry or still_to_come
