"""When a date comes round, in words and for every zone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.dates import DateRefusal
from journeys.entries import DateEntry
from journeys.occasions import FARTHEST_APART, Occasion, next_occasion

BERLIN, TOKYO, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")
SPRING = datetime(2026, 3, 1, tzinfo=UTC)
ZONES = sorted(available_timezones())
SIDES = ["before", "after"]
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def rule(**parts: Any) -> DateEntry:
    return DateEntry.model_validate({"of": "birthday", "yearly": True, **parts})


def found(value: Any, zone: ZoneInfo = BERLIN, *, after: datetime = SPRING, **parts: Any) -> Occasion:
    occasion = next_occasion(rule(**parts), value, zone, after=after)
    assert isinstance(occasion, Occasion)
    return occasion


class TestBirthdays:
    def test_it_comes_at_nine_where_the_contact_lives(self) -> None:
        assert found("1990-05-03") == Occasion(date(2026, 5, 3), 36, datetime(2026, 5, 3, 7, tzinfo=UTC))
        assert found("1990-05-03", TOKYO).at == datetime(2026, 5, 3, 0, tzinfo=UTC)
        assert found("1990-05-03", NEW_YORK).at == datetime(2026, 5, 3, 13, tzinfo=UTC)

    def test_on_the_day_itself_it_comes_until_the_hour_and_then_next_year(self) -> None:
        nine = datetime(2026, 3, 2, 8, tzinfo=UTC)
        assert found("1990-03-02", after=nine - timedelta(seconds=1)).at == nine
        assert found("1990-03-02", after=nine).day == date(2027, 3, 2)

    def test_it_may_come_before_or_after_the_day(self) -> None:
        assert found("1990-05-03", before="7 days") == Occasion(
            date(2026, 5, 3), 36, datetime(2026, 4, 26, 7, tzinfo=UTC)
        )
        assert found("1990-05-03", after=SPRING, before="1 month").at == datetime(2026, 4, 3, 7, tzinfo=UTC)

    def test_days_before_new_year_belong_to_the_coming_year(self) -> None:
        occasion = found("1990-01-03", after=datetime(2026, 12, 20, tzinfo=UTC), before="7d")
        assert (occasion.day, occasion.years) == (date(2027, 1, 3), 37)
        assert occasion.at == datetime(2026, 12, 27, 8, tzinfo=UTC)

    def test_a_date_of_this_year_returns_next_year(self) -> None:
        """The first order is no anniversary of itself."""
        occasion = found("2026-05-03T16:20:00+02:00")
        assert (occasion.day, occasion.years) == (date(2027, 5, 3), 1)

    @pytest.mark.parametrize("value", ["--05-03", "05-03"])
    def test_a_birthday_may_come_without_a_year(self, value: str) -> None:
        assert found(value) == Occasion(date(2026, 5, 3), None, datetime(2026, 5, 3, 7, tzinfo=UTC))

    @pytest.mark.parametrize(
        ("value", "leap_day", "day"),
        [
            ("2000-02-29", "feb-28", date(2026, 2, 28)),
            ("2000-02-29", "mar-1", date(2026, 3, 1)),
            ("--02-29", "mar-1", date(2026, 3, 1)),
            ("2000-02-28", "mar-1", date(2026, 2, 28)),
        ],
    )
    def test_a_29_february_in_a_common_year(self, value: str, leap_day: str, day: date) -> None:
        assert found(value, after=datetime(2026, 1, 1, tzinfo=UTC), leap_day=leap_day).day == day

    def test_a_29_february_in_a_leap_year(self) -> None:
        for leap_day in ("feb-28", "mar-1"):
            after = datetime(2028, 1, 1, tzinfo=UTC)
            assert found("2000-02-29", after=after, leap_day=leap_day).day == date(2028, 2, 29)


class TestOnce:
    def test_the_end_of_a_contract_comes_once(self) -> None:
        occasion = found("2026-06-30", yearly=False, before="30 days")
        assert occasion == Occasion(date(2026, 6, 30), None, datetime(2026, 5, 31, 7, tzinfo=UTC))
        assert next_occasion(rule(yearly=False, before="30 days"), "2026-06-30", BERLIN, after=occasion.at) is None

    def test_a_date_without_a_year_is_none(self) -> None:
        assert next_occasion(rule(yearly=False), "--05-03", BERLIN, after=SPRING) is DateRefusal.UNREADABLE


class TestDaysOff:
    def test_midnight_utc_is_the_day_it_names(self) -> None:
        assert found("1990-05-03T00:00:00.000Z", NEW_YORK).day == date(2026, 5, 3)

    def test_any_other_instant_counts_where_the_contact_lives(self) -> None:
        assert found("1990-05-02T22:00:00Z").day == date(2026, 5, 3)
        assert found("1990-05-03T03:00:00Z", NEW_YORK).day == date(2026, 5, 2)

    def test_a_time_without_a_zone_is_the_contacts_own(self) -> None:
        assert found("1990-05-03 23:59", NEW_YORK).day == date(2026, 5, 3)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        0,
        -1,
        641_692_800,
        641_692_800_000,
        True,
        [],
        {"year": 1990},
        "1970-01-01",
        "1970-01-01T00:00:00Z",
        "1969-12-31T19:00:00-05:00",
        "0000-00-00",
        "0001-01-01",
        "1899-12-31",
        "1900-01-01",
        "9999-12-31",
        "2190-01-01",
        "2026-02-30",
        "--02-30",
        "soon",
    ],
    ids=str,
)
def test_what_is_no_date_never_comes_round(value: Any) -> None:
    for yearly in (True, False):
        assert isinstance(next_occasion(rule(yearly=yearly), value, BERLIN, after=SPRING), DateRefusal)


def test_an_hour_the_clocks_skip_is_the_first_after_the_gap() -> None:
    assert found("1990-03-29", at="02:30").at == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_an_hour_the_clocks_repeat_is_its_first() -> None:
    assert found("1990-10-25", at="02:30").at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


dates = st.dates(date(1900, 1, 2), date(2026, 12, 31)).filter(lambda day: day != date(1970, 1, 1))
zones = st.sampled_from(ZONES).map(ZoneInfo)
instants = st.integers(0, 33_000 * 24 * 60).map(lambda minutes: datetime(2000, 1, 1, tzinfo=UTC) + minutes * MINUTE)
rules = st.builds(
    lambda at, leap_day, distance, forward: rule(
        at=at.strftime("%H:%M"), leap_day=leap_day, **{"after" if forward else "before": f"{distance} days"}
    ),
    st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    st.sampled_from(["feb-28", "mar-1"]),
    st.integers(1, 366),
    st.booleans(),
)


@given(rules, dates, zones, instants)
def test_an_occasion_lies_ahead_and_reads_the_hour_on_the_wall(
    entry: DateEntry, day: date, zone: ZoneInfo, after: datetime
) -> None:
    occasion = next_occasion(entry, day.isoformat(), zone, after=after)

    assert isinstance(occasion, Occasion)
    assert occasion.at > after
    distance = entry.offset.number * DAY if not isinstance(entry.offset, timedelta) else entry.offset
    meant = datetime.combine(occasion.day + (-distance if entry.before else distance), entry.at)
    shown = occasion.at.astimezone(zone)
    if shown.replace(tzinfo=None) != meant:  # only where the clocks skip that time: nothing earlier reads later
        assert (occasion.at - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) < meant
        assert shown.replace(tzinfo=None) > meant


@given(rules, dates, zones, instants)
def test_no_year_is_left_out_and_none_comes_twice(entry: DateEntry, day: date, zone: ZoneInfo, after: datetime) -> None:
    years = []
    for _ in range(5):
        occasion = next_occasion(entry, day.isoformat(), zone, after=after)
        assert isinstance(occasion, Occasion)
        assert occasion.years is not None
        assert occasion.years == occasion.day.year - day.year >= 1
        assert (occasion.day.month, occasion.day.day) in {(day.month, day.day), (2, 28), (3, 1)}
        years.append(occasion.day.year)
        after = occasion.at

    assert years == list(range(years[0], years[0] + 5))


@given(rules, dates, zones, instants)
def test_the_one_before_is_past(entry: DateEntry, day: date, zone: ZoneInfo, after: datetime) -> None:
    """Looking a little earlier finds the same occasion, or one that has passed by then."""
    occasion = next_occasion(entry, day.isoformat(), zone, after=after)
    earlier = next_occasion(entry, day.isoformat(), zone, after=after - 400 * DAY)

    assert isinstance(occasion, Occasion)
    assert isinstance(earlier, Occasion)
    assert earlier == occasion or earlier.at <= after


spans = st.builds(lambda number, side: rule(**{side: f"{number} months"}), st.integers(1, 11), st.sampled_from(SIDES))
times = st.integers(0, 24 * 60 - 1).map(lambda minutes: f"T{minutes // 60:02d}:{minutes % 60:02d}:00+00:00")


@given(rules | spans, dates, st.just("") | times, st.tuples(zones, zones), instants)
def test_whoever_moves_finds_the_very_return_that_was_ahead(
    entry: DateEntry, day: date, time: str, move: tuple[ZoneInfo, ZoneInfo], after: datetime
) -> None:
    here, there = move
    ahead = next_occasion(entry, f"{day}{time}", here, after=after)
    assert isinstance(ahead, Occasion)
    moved = next_occasion(entry, f"{day}{time}", there, after=ahead.at - FARTHEST_APART)

    assert isinstance(moved, Occasion)
    assert moved.identity == ahead.identity
    assert abs(moved.at - ahead.at) < FARTHEST_APART


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none()), zones, instants)
def test_no_value_whatever_breaks_it(value: Any, zone: ZoneInfo, after: datetime) -> None:
    found = next_occasion(rule(), value, zone, after=after)
    assert found is None or isinstance(found, Occasion | DateRefusal)
