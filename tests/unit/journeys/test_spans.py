"""Calendar spans, times of day and distances: how they are written, and which day they lead to."""

from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.spans import (
    Span,
    Unit,
    describe_offset,
    parse_clock,
    parse_offset,
    parse_span,
    write_clock,
    write_offset,
)

spans = st.builds(Span, st.integers(1, 100), st.sampled_from(Unit))
days = st.dates(date(1900, 1, 1), date(2199, 12, 31))


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("1 day", Span(1, Unit.DAY)),
        ("2 weeks", Span(2, Unit.WEEK)),
        ("3 months", Span(3, Unit.MONTH)),
        (" 1 years ", Span(1, Unit.YEAR)),
        ("36500 days", Span(36_500, Unit.DAY)),
    ],
)
def test_a_span_is_a_number_and_a_unit(text: str, span: Span) -> None:
    assert parse_span(text) == span


@pytest.mark.parametrize("text", ["1d", "day", "1.5 days", "1 decade", "-1 day", "1day", "", None, 3, "\u0661 day"])
def test_what_is_no_span_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is not a calendar span"):
        parse_span(text)


@pytest.mark.parametrize("text", ["0 days", "36501 days", "1201 months", "101 years", "5215 weeks"])
def test_no_time_and_more_than_a_hundred_years_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="more than a hundred years"):
        parse_span(text)


@pytest.mark.parametrize(
    ("day", "text", "later"),
    [
        ("2026-01-31", "1 month", "2026-02-28"),
        ("2028-01-31", "1 month", "2028-02-29"),
        ("2026-10-31", "1 month", "2026-11-30"),
        ("2028-02-29", "1 year", "2029-02-28"),
        ("2028-02-29", "4 years", "2032-02-29"),
        ("2026-11-30", "3 months", "2027-02-28"),
        ("2026-12-31", "1 day", "2027-01-01"),
        ("2026-02-22", "1 week", "2026-03-01"),
    ],
)
def test_a_month_without_such_a_day_gives_its_last(day: str, text: str, later: str) -> None:
    assert parse_span(text).after(date.fromisoformat(day)) == date.fromisoformat(later)


@pytest.mark.parametrize(
    ("day", "text", "earlier"),
    [
        ("2026-03-31", "1 month", "2026-02-28"),
        ("2028-02-29", "1 year", "2027-02-28"),
        ("2026-03-01", "1 day", "2026-02-28"),
    ],
)
def test_counting_back_is_clipped_in_the_same_way(day: str, text: str, earlier: str) -> None:
    assert parse_span(text).before(date.fromisoformat(day)) == date.fromisoformat(earlier)


@given(spans, days)
def test_a_span_leads_to_a_later_day(span: Span, day: date) -> None:
    assert span.before(day) < day < span.after(day)


@given(spans, days, st.integers(0, 400))
def test_who_starts_later_arrives_no_earlier(span: Span, day: date, more: int) -> None:
    assert span.after(day + timedelta(days=more)) >= span.after(day)


@given(
    st.one_of(
        spans,
        st.timedeltas(timedelta(), timedelta(days=900)).map(lambda d: timedelta(seconds=d // timedelta(seconds=1))),
    )
)
def test_what_is_written_is_read_again(offset: timedelta | Span) -> None:
    assert parse_offset(write_offset(offset)) == offset


def test_exact_time_and_calendar_time_are_told_apart() -> None:
    assert parse_offset("1d") == timedelta(days=1)
    assert parse_offset("1 day") == Span(1, Unit.DAY)
    assert describe_offset(timedelta(hours=36)) == "1 day 12 hours"
    assert describe_offset(Span(2, Unit.WEEK)) == "2 weeks"


@given(st.times().map(lambda wall: wall.replace(microsecond=0)))
def test_a_time_of_day_is_written_to_the_second_where_it_has_seconds(wall: time) -> None:
    assert parse_clock(write_clock(wall)) == wall
    assert (len(write_clock(wall)) == len("09:00")) == (wall.second == 0)


@pytest.mark.parametrize("value", ["9:00", "24:00", "09:60", "09:00:60", "09", 540, None, "09:00 Uhr", "09:00+01:00"])
def test_what_is_no_time_of_day_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="is not a time of day"):
        parse_clock(value)
