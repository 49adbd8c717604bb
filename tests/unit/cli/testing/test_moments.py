"""How tests of journeys name moments."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cli.testing.moments import When

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY_NINE = datetime(2026, 6, 8, 9, 0, 30, tzinfo=BERLIN)
NOT_LATE = timedelta(0)


@pytest.mark.parametrize(
    "said",
    [
        "Mon 09:00",
        "mon 09:00",
        "Monday 09:00",
        "Mon",
        "09:00",
        "2026-06-08 09:00",
        "2026-06-08T09:00",
        "2026-06-08",
        "Mon 2026-06-08 09:00",
        "Mon 07:00 UTC",
        "Mon 16:00 Asia/Tokyo",
        "09:00:30",
        datetime(2026, 6, 8, 9, 0, tzinfo=BERLIN),
        datetime(2026, 6, 8, 7, 0, tzinfo=UTC),
        datetime(2026, 6, 8, 9, 0),  # noqa: DTZ001 -- on the contact's wall
    ],
    ids=str,
)
def test_a_moment_fits_the_minute_it_names(said: str | datetime) -> None:
    assert When.read(said).fits(MONDAY_NINE, BERLIN, late=NOT_LATE)


@pytest.mark.parametrize(
    "said", ["Tue 09:00", "Tue", "08:59", "09:01", "2026-06-09", "Mon 09:00 UTC", "09:00:29", "09:00:31"]
)
def test_it_does_not_fit_another_minute(said: str) -> None:
    assert not When.read(said).fits(MONDAY_NINE, BERLIN, late=NOT_LATE)


def test_real_time_that_passed_meanwhile_is_allowed_for() -> None:
    late = MONDAY_NINE + timedelta(seconds=45)
    assert not When.read("09:00").fits(late, BERLIN, late=NOT_LATE)
    assert When.read("09:00").fits(late, BERLIN, late=timedelta(seconds=20))
    midnight = datetime(2026, 6, 9, 0, 0, 1, tzinfo=BERLIN)
    assert When.read("Mon 23:59").fits(midnight, BERLIN, late=timedelta(seconds=5))


@pytest.mark.parametrize("said", ["Someday 09:00", "9 o'clock", "Mon 09:00 Mars/Olympus", "08.06.2026"])
def test_what_is_no_moment_is_said_to_be_none(said: str) -> None:
    with pytest.raises(ValueError, match="is no moment"):
        When.read(said)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Mon 09:00", "2026-06-15 09:00"),
        ("Mon 10:00", "2026-06-08 10:00"),
        ("Wed", "2026-06-10 00:00"),
        ("08:00", "2026-06-09 08:00"),
        ("2026-12-24 18:00", "2026-12-24 18:00"),
        ("Tue 08:00 Asia/Tokyo", "2026-06-09 01:00"),
    ],
)
def test_the_next_such_moment_is_found(said: str, found: str) -> None:
    after = When.read(said).after(MONDAY_NINE, BERLIN)
    assert after == datetime.fromisoformat(found).replace(tzinfo=BERLIN)


def test_a_moment_that_has_passed_does_not_come_again() -> None:
    with pytest.raises(ValueError, match="passed already"):
        When.read("2026-06-01 10:00").after(MONDAY_NINE, BERLIN)
