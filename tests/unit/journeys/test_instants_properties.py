"""What holds for moments in every time zone, checked against a reading of the wall clock around each of its changes."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeys.dates import DateRefusal
from journeys.holidays import closed_on_holidays
from journeys.instants import Surroundings, resolve
from journeys.moments import CalendarMoment, DateMoment, WindowMoment
from journeys.spans import Span, Unit
from journeys.timing import next_opening, wall_instant
from journeys.window import Weekday, Window
from tests.unit.journeys.test_timing_properties import ZONES, changes, reads_open

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def readings(zone: ZoneInfo, midnight: datetime) -> Mapping[datetime, datetime]:
    """What the clock shows at each minute of the two days around a change, and when it first does (UTC)."""
    first: dict[datetime, datetime] = {}
    for number in range(2 * 24 * 60):
        minute = midnight - DAY / 2 + number * MINUTE
        first.setdefault(minute.astimezone(zone).replace(tzinfo=None), minute)
    return first


def first_reading(shown: Mapping[datetime, datetime], wall: datetime) -> datetime:
    """The rule for readers: when the clock first shows this time; where it never does, when it first shows a later."""
    return shown.get(wall) or min(instant for reading, instant in shown.items() if reading > wall)


@pytest.mark.parametrize("part", range(4), ids="part{}".format)
def test_every_quarter_of_an_hour_around_every_change_of_every_zone_is_when_the_clock_shows_it(part: int) -> None:
    for name in ZONES[part::4]:
        zone = ZoneInfo(name)
        for midnight in changes(name):
            shown = readings(zone, midnight)
            middle = midnight.astimezone(zone).replace(tzinfo=None, minute=0)
            for quarter in range(-5 * 4, 28 * 4):
                wall = middle + quarter * timedelta(minutes=15)
                assert wall_instant(wall, zone) == first_reading(shown, wall), (name, wall)


@st.composite
def places(draw: st.DrawFn) -> tuple[ZoneInfo, datetime]:
    """A zone, and an instant within days of a change of its clocks, to the second."""
    name = draw(st.sampled_from(ZONES))
    change = draw(st.sampled_from(changes(name)))
    return ZoneInfo(name), change + draw(st.integers(-5 * 86_400, 2 * 86_400)) * SECOND


clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59), st.sampled_from([0, 1, 30, 59]))
spans = st.builds(Span, st.integers(1, 14), st.just(Unit.DAY)) | st.builds(
    Span, st.integers(1, 14), st.sampled_from(Unit)
)


@settings(max_examples=500)
@given(places(), spans, clocks)
def test_a_calendar_moment_is_on_the_day_and_at_the_second_it_says(
    place: tuple[ZoneInfo, datetime], span: Span, clock: time
) -> None:
    zone, reached = place
    moment = CalendarMoment(span=span, at=clock)
    found = resolve(moment, Surroundings(zone=zone, reached=reached, now=reached))
    assert isinstance(found, datetime)
    wanted = datetime.combine(span.after(reached.astimezone(zone).date()), clock)
    shown = found.astimezone(zone).replace(tzinfo=None)
    before = (found - SECOND).astimezone(zone).replace(tzinfo=None)
    assert found >= reached
    assert shown >= wanted
    # On the second, or just behind a gap that has swallowed it.
    assert shown == wanted or (before < wanted and shown - before > SECOND)


@settings(max_examples=300)
@given(places(), spans, clocks, st.integers(0, 3 * 86_400))
def test_who_reaches_a_step_later_waits_for_no_earlier_moment(
    place: tuple[ZoneInfo, datetime], span: Span, clock: time, seconds: int
) -> None:
    zone, reached = place
    moment, later = CalendarMoment(span=span, at=clock), reached + seconds * SECOND
    first, second = (
        resolve(moment, Surroundings(zone=zone, reached=moment_, now=moment_)) for moment_ in (reached, later)
    )
    assert isinstance(first, datetime)
    assert isinstance(second, datetime)
    assert second >= first


@settings(max_examples=300)
@given(places(), st.timedeltas(timedelta(), timedelta(days=40)))
def test_exact_time_before_an_instant_is_exact_in_every_zone(
    place: tuple[ZoneInfo, datetime], offset: timedelta
) -> None:
    zone, start = place
    moment = DateMoment(before=offset - offset % SECOND, date="$entry.starts_at")
    found = resolve(moment, Surroundings(zone=zone, reached=start, now=start, value=start.isoformat()))
    assert isinstance(found, datetime)
    assert start - found == offset - offset % SECOND


@settings(max_examples=300)
@given(places(), st.dates(date(1901, 1, 1), date(2027, 1, 1)), clocks)
def test_an_anniversary_lies_ahead_within_a_year_on_the_day_or_on_28_february(
    place: tuple[ZoneInfo, datetime], born: date, clock: time
) -> None:
    zone, now = place
    moment = DateMoment(on="$contact.birthday", at=clock, yearly=True)
    found = resolve(moment, Surroundings(zone=zone, reached=now, now=now, value=born.isoformat()))
    if isinstance(found, DateRefusal):
        assert born == date(1970, 1, 1)
        return
    day = found.astimezone(zone)
    assert now <= found <= now + timedelta(days=2 * 366)
    month_and_day = f"{born:%m-%d}"
    gap = (found - SECOND).astimezone(zone).replace(tzinfo=None) + SECOND != day.replace(tzinfo=None)
    assert f"{day:%m-%d}" in {month_and_day, "02-28" if month_and_day == "02-29" else month_and_day} or gap


COUNTRIES = [("DE", "BY"), ("DE", "BE"), ("US", "CA"), ("GB", "SCT"), ("ES", "MD"), ("JP", None), ("BR", "SP")]
windows = st.builds(
    Window,
    days=st.frozensets(st.sampled_from(Weekday), min_size=2),
    from_=clocks.map(lambda clock: clock.replace(second=0)),
    to=clocks.map(lambda clock: clock.replace(second=0)),
    holidays=st.booleans(),
)


@settings(max_examples=400)
@given(places(), windows, st.sampled_from(COUNTRIES))
def test_the_next_window_opens_on_the_second_on_no_weekend_or_holiday_that_is_closed(
    place: tuple[ZoneInfo, datetime], window: Window, country: tuple[str, str | None]
) -> None:
    zone, now = place
    closed = closed_on_holidays(*country)
    found = resolve(WindowMoment(), Surroundings(zone=zone, reached=now, now=now, window=window, closed=closed))
    assert found == next_opening(window, now, zone, closed)
    assert isinstance(found, datetime)
    local = found.astimezone(zone)
    opened = local.date() if window.from_ < window.to or local.time() >= window.from_ else local.date() - DAY
    if window.from_ == window.to:
        opened = local.date()
    assert Weekday(opened.weekday()) in window.days
    assert not (window.holidays and closed(opened))
    if found > now:
        assert not reads_open(window, found - SECOND, zone, closed)
