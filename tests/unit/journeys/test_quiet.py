"""Quiet hours of a contact: how they are written, and when there is an opening that spares them, in every zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeys.quiet import next_common_opening, normalize_quiet_hours, outside
from journeys.timing import NeverOpens, is_open
from journeys.window import Window
from tests.unit.journeys.test_timing_properties import ZONES, closed, moments, times, windows

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("21:00-08:00", "21:00-08:00"),
        (" 9:00 - 17:30 ", "09:00-17:30"),
        ("22:00\u201306:00", "22:00-06:00"),
        ("20:00-24:00", "20:00-00:00"),
    ],
)
def test_quiet_hours_are_stored_in_one_way(written: str, stored: str) -> None:
    assert normalize_quiet_hours(written) == stored


@pytest.mark.parametrize("written", ["", "night", "21-8", "25:00-08:00", "21:60-08:00", "21:00-08:00, 12:00-13:00"])
def test_what_are_no_quiet_hours_is_answered_with_what_to_write(written: str) -> None:
    with pytest.raises(ValueError, match=r'two times of the day, such as "21:00-08:00"'):
        normalize_quiet_hours(written)


def test_a_day_that_is_quiet_as_a_whole_is_refused_for_what_it_would_mean() -> None:
    with pytest.raises(ValueError, match="withdraw the consent instead"):
        normalize_quiet_hours("00:00-24:00")


@pytest.mark.parametrize("stored", [None, "", "nonsense", 5])
def test_where_there_are_none_nothing_is_held_back(stored: object) -> None:
    assert outside(stored) is None


@pytest.mark.parametrize(
    ("asked", "opens"),
    [("2026-06-01 23:30", "2026-06-02 08:00"), ("2026-06-02 03:00", "2026-06-02 08:00"), ("2026-06-02 08:00", None)],
)
def test_a_quiet_night_ends_the_next_morning(asked: str, opens: str | None) -> None:
    now = datetime.fromisoformat(asked).replace(tzinfo=BERLIN)
    found = next_common_opening((None, outside("21:00-08:00")), now, BERLIN)
    assert found == (datetime.fromisoformat(opens).replace(tzinfo=BERLIN) if opens else now)


def test_a_window_that_the_quiet_hours_cover_never_opens() -> None:
    window = Window.model_validate({"from": "09:00", "to": "17:00"})
    with pytest.raises(NeverOpens):
        next_common_opening((window, outside("08:00-18:00")), datetime(2026, 6, 1, tzinfo=UTC), BERLIN)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Window, str, datetime, ZoneInfo]:
    name = draw(st.sampled_from(ZONES))
    start, end = draw(st.tuples(times, times).filter(lambda pair: pair[0] != pair[1]))
    return draw(windows), f"{start:%H:%M}-{end:%H:%M}", draw(moments(name)), ZoneInfo(name)


def is_quiet(hours: str, moment: datetime, zone: ZoneInfo) -> bool:
    """The rule for readers."""
    start, end = (time.fromisoformat(part) for part in hours.split("-"))
    shown = moment.astimezone(zone).time()
    return start <= shown < end if start < end else shown >= start or shown < end


@settings(max_examples=200, deadline=None)
@given(cases())
def test_what_is_found_is_in_the_window_and_spares_the_quiet_hours(
    case: tuple[Window, str, datetime, ZoneInfo],
) -> None:
    window, hours, now, zone = case
    try:
        found = next_common_opening((window, outside(hours)), now, zone, closed)
    except NeverOpens:
        return
    assert found >= now
    assert is_open(window, found, zone, closed)
    assert not is_quiet(hours, found, zone)


@settings(max_examples=200, deadline=None)
@given(cases())
def test_no_earlier_minute_would_have_done(case: tuple[Window, str, datetime, ZoneInfo]) -> None:
    window, hours, now, zone = case
    quiet = outside(hours)
    try:
        found = next_common_opening((window, quiet), now, zone, closed)
    except NeverOpens:
        found = now + timedelta(days=366)
    for number in range(min(int((found - now) / MINUTE), 3 * 24 * 60)):
        moment = now + number * MINUTE
        assert is_quiet(hours, moment, zone) or not is_open(window, moment, zone, closed)


def test_holidays_belong_to_the_window_alone() -> None:
    """On a holiday the window is closed; the hours that a contact wants to be left alone are the same on every day."""
    window = Window.model_validate({"from": "09:00", "to": "17:00", "holidays": True})
    now = datetime(2026, 12, 25, 22, tzinfo=BERLIN)
    found = next_common_opening((window, outside("21:00-10:00")), now, BERLIN, lambda day: day <= date(2026, 12, 26))
    assert found == datetime(2026, 12, 27, 10, tzinfo=BERLIN)
