"""The spread of a window: where each contact has its place, in every zone, with nights and changed clocks."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from journeys.checks import check
from journeys.quiet import next_common_opening, outside
from journeys.spreading import next_place, place_of
from journeys.timing import NeverOpens, is_open
from journeys.window import Window
from tests.support.journeys import journey
from tests.unit.journeys.test_timing_properties import MINUTE, ZONES, closed, moments, times, windows

BERLIN = ZoneInfo("Europe/Berlin")
HALF_AN_HOUR = timedelta(minutes=30)
spreads = st.integers(1, 24 * 60).map(lambda minutes: minutes * MINUTE)
places = st.floats(0, 1, exclude_max=True)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Window | None], datetime, ZoneInfo]:
    name = draw(st.sampled_from(ZONES))
    window = draw(windows).model_copy(update={"spread": draw(spreads)})
    start, end = draw(st.tuples(times, times).filter(lambda pair: pair[0] != pair[1]))
    quiet = outside(f"{start:%H:%M}-{end:%H:%M}") if draw(st.booleans()) else None
    return [window, quiet], draw(moments(name)), ZoneInfo(name)


@settings(max_examples=300, deadline=None)
@given(cases(), places)
def test_a_place_is_within_the_spread_and_the_windows_stay_open_until_then(
    case: tuple[list[Window | None], datetime, ZoneInfo], place: float
) -> None:
    both, now, zone = case
    window = both[0]
    assert window is not None
    assert window.spread is not None
    try:
        opening = next_common_opening(both, now, zone, closed)
    except NeverOpens:
        return
    found = next_place(both, now, zone, closed, place=place)
    assert opening <= found < opening + window.spread
    assert (found == now) == (opening == now), "what need not wait is not spread"
    for one in (opening + number * MINUTE for number in range(int((found - opening) / MINUTE) + 1)):
        assert all(is_open(each, one, zone, closed) for each in both), "nobody waits into the next opening"
    assert all(is_open(each, found, zone, closed) for each in both)
    if window.from_ == window.to and found != now:
        assert found.astimezone(zone).date() == opening.astimezone(zone).date(), "nor into the next day"


@settings(max_examples=200, deadline=None)
@given(cases(), places, places)
def test_places_keep_their_order(
    case: tuple[list[Window | None], datetime, ZoneInfo], one: float, other: float
) -> None:
    both, now, zone = case
    first, last = sorted((one, other))
    try:
        assert next_place(both, now, zone, closed, place=first) <= next_place(both, now, zone, closed, place=last)
    except NeverOpens:
        return


@settings(max_examples=200, deadline=None)
@given(cases(), places, st.integers(0, 3 * 24 * 60))
def test_nobody_waits_until_a_message_is_of_no_use_who_could_have_had_it(
    case: tuple[list[Window | None], datetime, ZoneInfo], place: float, minutes: int
) -> None:
    both, now, zone = case
    try:
        opening = next_common_opening(both, now, zone, closed)
    except NeverOpens:
        return
    last = now + minutes * MINUTE
    found = next_place(both, now, zone, closed, place=place, of_use_until=last)
    assert found <= last if opening <= last else found == opening


@given(st.uuids())
def test_a_place_is_the_contacts_own_for_ever(contact_id: UUID) -> None:
    assert place_of(contact_id) == place_of(UUID(str(contact_id)))
    assert 0 <= place_of(contact_id) < 1


def test_the_place_of_a_contact_never_changes_from_release_to_release() -> None:
    """Who waits while a new release comes in would be moved by another hash."""
    assert round(place_of(UUID(int=1)), 4) == 0.0583


@pytest.mark.parametrize("ids", [range(10_000), range(1 << 96, (1 << 96) + 10_000 * 7, 7)], ids=["in a row", "apart"])
def test_contacts_lie_roughly_evenly_over_the_spread(ids: range) -> None:
    window, now = _window("30m", start="08:00", end="20:00"), datetime(2026, 6, 1, 20, tzinfo=UTC)
    opening = datetime(2026, 6, 2, 8, tzinfo=BERLIN)
    minutes = [0] * 30
    for number in ids:
        found = next_place([window], now, BERLIN, place=place_of(UUID(int=number)))
        minutes[(found - opening) // MINUTE] += 1
    expected = len(ids) / 30
    assert all(abs(count - expected) < 0.25 * expected for count in minutes), minutes


@pytest.mark.parametrize(
    ("window", "asked", "earliest", "latest"),
    [
        ({"from": "08:00", "to": "20:00"}, "2026-06-01 21:00", "2026-06-02 08:00:00", "2026-06-02 08:29:59"),
        # A window that closes before the spread is over; a night, too.
        ({"from": "08:00", "to": "08:10"}, "2026-06-01 21:00", "2026-06-02 08:00:00", "2026-06-02 08:09:59"),
        ({"from": "23:50", "to": "00:10"}, "2026-06-01 21:00", "2026-06-01 23:50:00", "2026-06-02 00:09:59"),
        ({"from": "23:50", "to": "06:00"}, "2026-06-01 21:00", "2026-06-01 23:50:00", "2026-06-02 00:19:59"),
        ({"days": "tue"}, "2026-06-01 21:00", "2026-06-02 00:00:00", "2026-06-02 00:29:59"),
        # 02:45 is skipped on 29 March 2026: the window closes with the change of the clocks.
        ({"from": "01:50", "to": "02:45"}, "2026-03-29 00:00", "2026-03-29 01:50:00", "2026-03-29 01:59:59"),
    ],
)
def test_the_spread_begins_with_the_opening_and_ends_with_the_window(
    window: dict[str, Any], asked: str, earliest: str, latest: str
) -> None:
    meant = Window.model_validate({**window, "spread": "30m"})
    now = datetime.fromisoformat(asked).replace(tzinfo=BERLIN)
    found = [next_place([meant], now, BERLIN, place=place) for place in (0.0, 0.999999)]
    assert [f"{one.astimezone(BERLIN):%Y-%m-%d %H:%M:%S}" for one in found] == [earliest, latest]


def test_a_whole_day_is_over_at_midnight_though_the_next_is_open_too() -> None:
    window = Window.model_validate({"days": "mon,tue", "spread": "24h"})
    quiet = outside("21:00-12:00")
    now = datetime(2026, 5, 31, 20, tzinfo=BERLIN)
    found = [next_place(both, now, BERLIN, place=0.999999) for both in ([window], [window, quiet])]
    assert [f"{one.astimezone(BERLIN):%a %H:%M:%S}" for one in found] == ["Mon 23:59:59", "Mon 20:59:59"]


def test_without_a_spread_all_leave_at_the_opening() -> None:
    now = datetime(2026, 6, 1, 20, tzinfo=UTC)
    window = Window.model_validate({"from": "08:00", "to": "20:00"})
    assert next_place([window], now, BERLIN, place=0.9) == datetime(2026, 6, 2, 8, tzinfo=BERLIN)
    assert next_place([None, outside("21:00-08:00")], now, BERLIN, place=0.9) == datetime(2026, 6, 2, 8, tzinfo=BERLIN)


@pytest.mark.parametrize("spread", ["0s", "25h", "2d", "soon", 30])
def test_a_spread_is_longer_than_nothing_and_at_most_a_day(spread: Any) -> None:
    with pytest.raises(ValidationError, match=r"spread|duration"):
        Window.model_validate({"spread": spread})


def test_a_window_without_a_spread_is_written_as_before_there_was_one() -> None:
    """Windows travel to activities, and recorded requests are compared with those of today."""
    assert "spread" not in Window().model_dump(mode="json", by_alias=True)
    assert Window.model_validate({"spread": "30m"}).model_dump(mode="json")["spread"] == "30m"


@pytest.mark.parametrize(
    ("window", "room"),
    [
        ({"from": "08:00", "to": "09:00"}, "1 hour"),
        ({"from": "23:30", "to": "00:30"}, "1 hour"),
        ({"from": "23:00", "to": "24:00"}, "1 hour"),
    ],
)
def test_a_spread_that_the_window_has_no_room_for_is_found(window: dict[str, Any], room: str) -> None:
    assert not check(journey(window={**window, "spread": "1h"}), None)
    [finding] = check(journey(window={**window, "spread": "61m"}), None)
    assert (finding.rule, finding.problem.where) == ("spread-beyond-window", "window.spread")
    assert f"open for {room}" in finding.problem.what


def test_a_window_of_whole_days_has_room_for_a_day() -> None:
    assert not check(journey(window={"days": "mon-fri", "spread": "24h"}), None)


def _window(spread: str, *, start: str, end: str) -> Window:
    return Window.model_validate({"from": start, "to": end, "spread": spread})


def test_those_in_a_row_are_not_neighbours() -> None:
    drawn = [place_of(UUID(int=number)) for number in range(100)]
    assert sum(one < other for one, other in pairwise(drawn)) in range(30, 70)
