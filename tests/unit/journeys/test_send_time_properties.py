"""What holds for best times in every time zone and whatever the contact did."""

from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from journeys.best_time import BestTime, BestTimeMoment, Hours
from journeys.instants import Surroundings, resolve
from journeys.send_time import ENOUGH, send_time
from journeys.sittings import WEIGHTS, Reaction
from journeys.window import Window, within
from tests.unit.journeys.test_instants_properties import places, windows

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
walls = st.builds(time, st.integers(0, 23), st.integers(0, 59))


@st.composite
def asked(draw: st.DrawFn) -> BestTime:
    """Hours of an hour or more, over midnight or not, with what is taken otherwise inside."""
    opens, length = draw(walls), draw(st.integers(60, 24 * 60))
    begin = datetime.combine(date(2026, 1, 1), opens)
    inside = begin + draw(st.integers(0, length - 1)) * timedelta(minutes=1)
    closes = begin + length * timedelta(minutes=1)
    return BestTime(from_=opens, to=closes.time(), otherwise=inside.time())


@st.composite
def reacted(draw: st.DrawFn, now: datetime) -> list[Reaction]:
    """Up to forty reactions around a few times of day, some by machines, too old or still to come."""
    minutes = draw(st.lists(st.integers(0, 24 * 60 - 1), min_size=1, max_size=3))
    drawn = st.tuples(
        st.sampled_from(sorted(WEIGHTS)),
        st.integers(-1, 185),
        st.sampled_from(minutes),
        st.integers(-90, 90),
        st.booleans() if draw(st.booleans()) else st.just(False),  # noqa: FBT003 -- a value
    )
    return [
        Reaction(f"e{number}", name, now - ago * DAY - (minute + off) * timedelta(minutes=1), machine)
        for number, (name, ago, minute, off, machine) in enumerate(draw(st.lists(drawn, max_size=40)))
    ]


Case = tuple[ZoneInfo, datetime, list[Reaction], BestTime]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A zone and an instant near a change of its clocks, what a contact did before, and the hours asked for."""
    zone, now = draw(places())
    return zone, now, draw(reacted(now)), draw(asked())


@settings(max_examples=120)
@given(cases())
def test_the_time_lies_within_the_hours_and_thin_data_give_what_the_journey_says(case: Case) -> None:
    zone, now, reactions, hours = case
    found = send_time(reactions, zone, now, hours)
    assert within(found.time, hours.from_, hours.to)
    assert found.time == hours.otherwise if found.thin else len(found.sittings) >= ENOUGH
    assert bool(found.leading) is not found.thin
    assert not any(one.machine for sitting in found.sittings for one in sitting.reactions)


@settings(max_examples=100)
@given(cases(), st.integers(0, 2**32), st.integers(-5, 400), st.integers(0, 30))
def test_neither_order_nor_whole_days_matter_where_all_ages_are_or_grow_the_same(
    case: Case, seed: int, moved: int, aged: int
) -> None:
    _, now, reactions, hours = case
    utc = ZoneInfo("UTC")  # elsewhere the same instants may be other times of day after so many days of 24 hours
    kept = [one for one in reactions if now - 150 * DAY < one.at <= now]
    other = [Reaction(one.event_id, one.name, one.at + moved * DAY, one.machine) for one in kept]
    Random(seed).shuffle(other)
    first, second = send_time(kept, utc, now, hours), send_time(other, utc, now + (moved + aged) * DAY, hours)
    assert (first.time, first.because) == (second.time, second.because)


@settings(max_examples=120)
@given(places(), walls)
def test_it_is_waited_for_until_the_clock_next_reads_that_time(place: tuple[ZoneInfo, datetime], wall: time) -> None:
    zone, now = place
    moment = BestTimeMoment(best_time=BestTime(otherwise=wall))
    found = resolve(moment, Surroundings(zone=zone, reached=now, now=now))
    assert isinstance(found, datetime)
    change = (found.astimezone(zone).utcoffset() or DAY) - (now.astimezone(zone).utcoffset() or timedelta())
    assert now <= found <= now + DAY + abs(change)
    shown = found.astimezone(zone).replace(tzinfo=None)
    before = (found - SECOND).astimezone(zone).replace(tzinfo=None)
    # On the minute, or just behind a gap that has swallowed it.
    assert shown.time() == wall or shown - before > SECOND
    minutes = (now + number * timedelta(minutes=1) for number in range(1, int((found - now) / timedelta(minutes=1))))
    assert all(one.astimezone(zone).time().replace(second=0) != wall for one in minutes)


@settings(max_examples=100)
@given(places(), windows, walls)
def test_in_the_window_it_is_the_first_such_time_at_which_the_window_is_open(
    place: tuple[ZoneInfo, datetime], window: Window, wall: time
) -> None:
    zone, now = place
    assume(within(wall, window.from_, window.to))
    moment = BestTimeMoment(best_time=BestTime(otherwise=wall, in_window=True))
    found = resolve(moment, Surroundings(zone=zone, reached=now, now=now, window=window))
    assert isinstance(found, datetime)
    day = found.astimezone(zone)
    opened = day.date() - DAY if window.from_ > window.to and day.time() < window.to else day.date()
    assert opened.weekday() in window.days
    assert found - now <= 7 * DAY + timedelta(hours=2)


def test_hours_know_their_slots_in_their_order() -> None:
    night = Hours.model_validate({"from": "23:53", "to": "01:00", "otherwise": "00:00"})
    assert [*night.slots()][:2] == [287, 0]
    assert len([*night.slots()]) == 13
