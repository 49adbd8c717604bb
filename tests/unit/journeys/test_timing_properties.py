"""What holds for every window in every time zone, checked against a reading of the wall clock minute by minute."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from journeys.timing import is_open, next_opening
from journeys.window import Weekday, Window

ZONES = sorted(available_timezones())
MINUTE = timedelta(minutes=1)
BEGIN, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """The midnights (UTC) before the clocks change in the zone, in two years; the new years where they never do."""
    info = ZoneInfo(zone)
    midnights = [BEGIN + timedelta(days=number) for number in range((END - BEGIN).days)]
    offsets = [moment.astimezone(info).utcoffset() for moment in midnights]
    pairs = zip(midnights, offsets, offsets[1:], strict=False)
    return tuple(moment for moment, before, after in pairs if before != after) or (BEGIN, END)


@st.composite
def moments(draw: st.DrawFn, zone: str) -> datetime:
    """A moment within two days of a change of the clocks, on a whole minute."""
    change = draw(st.sampled_from(changes(zone)))
    return change + draw(st.integers(-2 * 24 * 60, 3 * 24 * 60)) * MINUTE


times = st.one_of(
    st.sampled_from([time(0), time(1), time(1, 30), time(2), time(2, 30), time(3), time(22), time(23, 30)]),
    st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45])),
)
windows = st.builds(
    Window,
    days=st.frozensets(st.sampled_from(Weekday), min_size=1),
    from_=times,
    to=times,
    holidays=st.booleans(),
)


def closed(day: date) -> bool:
    """A calendar for tests: every third day of the year."""
    return day.toordinal() % 3 == 0


def reads_open(window: Window, moment: datetime, zone: ZoneInfo, closed: Callable[[date], bool] = closed) -> bool:
    """The rule for readers: is there a listed day whose span of wall time holds what the clock shows?"""
    shown = moment.astimezone(zone).replace(tzinfo=None)
    for day in (shown.date() - timedelta(days=1), shown.date()):
        begin = datetime.combine(day, window.from_)
        end = datetime.combine(day, window.to)
        if window.from_ == window.to:
            begin, end = datetime.combine(day, time(0)), datetime.combine(day, time(0)) + timedelta(days=1)
        elif end < begin:
            end += timedelta(days=1)
        listed = Weekday(day.weekday()) in window.days and not (window.holidays and closed(day))
        if listed and begin <= shown < end:
            return True
    return False


@st.composite
def cases(draw: st.DrawFn) -> tuple[Window, datetime, ZoneInfo]:
    name = draw(st.sampled_from(ZONES))
    return draw(windows), draw(moments(name)), ZoneInfo(name)


@settings(max_examples=300)
@given(cases())
def test_a_window_is_open_when_the_wall_clock_shows_a_time_of_a_listed_day(
    case: tuple[Window, datetime, ZoneInfo],
) -> None:
    window, now, zone = case
    assert is_open(window, now, zone, closed) == reads_open(window, now, zone)


@settings(max_examples=300)
@given(cases())
def test_no_minute_before_the_opening_was_open(case: tuple[Window, datetime, ZoneInfo]) -> None:
    window, now, zone = case
    found = next_opening(window, now, zone, closed)
    assert found >= now
    assert reads_open(window, found, zone)
    looked_at = min(int((found - now) / MINUTE), 3 * 24 * 60)
    assert not any(reads_open(window, now + number * MINUTE, zone) for number in range(looked_at))
    assert not reads_open(window, found - MINUTE, zone) or found == now


@given(cases())
def test_asking_again_at_the_opening_gives_the_opening(case: tuple[Window, datetime, ZoneInfo]) -> None:
    window, now, zone = case
    found = next_opening(window, now, zone, closed)
    assert next_opening(window, found, zone, closed) == found


@given(cases(), st.integers(1, 60 * 60 * 24 * 3))
def test_waiting_never_brings_the_opening_forward(case: tuple[Window, datetime, ZoneInfo], seconds: int) -> None:
    window, now, zone = case
    later = now + timedelta(seconds=seconds)
    assert next_opening(window, later, zone, closed) >= next_opening(window, now, zone, closed)


def test_every_zone_opens_at_eight_on_both_sides_of_its_changes() -> None:
    window = Window.model_validate({"from": "08:00", "to": "20:00"})
    for name in ZONES:
        zone = ZoneInfo(name)
        for change in changes(name):
            for days in (-1, 0, 1, 2):
                local = (change + timedelta(days=days)).astimezone(zone)
                evening = datetime.combine(local.date(), time(21), tzinfo=zone)
                opens = next_opening(window, evening, zone).astimezone(zone)
                assert opens.replace(tzinfo=None) == datetime.combine(local.date() + timedelta(days=1), time(8)), name
