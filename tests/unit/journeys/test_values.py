"""The small parts of a journey: durations, windows, references."""

from datetime import time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from journeys.duration import LONGEST, describe_duration, parse_duration, write_duration
from journeys.values import EventName, Key, entry_reference
from journeys.window import Weekday, Window

WEEKEND = frozenset({Weekday.SAT, Weekday.SUN})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("15m", 900),
        ("24h", 86_400),
        ("1d", 86_400),
        ("2w", 1_209_600),
        ("1d 12h", 129_600),
        (" 1d2h ", 93_600),
    ],
)
def test_durations_are_exact_time(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@given(st.timedeltas(timedelta(), LONGEST))
def test_a_written_duration_reads_back_to_the_same_whole_seconds(duration: timedelta) -> None:
    assert parse_duration(write_duration(duration)) == timedelta(seconds=int(duration.total_seconds()))


@pytest.mark.parametrize(
    "text", ["", "1", "1 day", "d", "-1d", "1.5d", "1y", 3, None, "1d,2h", chr(0x661) + "d", "99999d", "9" * 13 + "w"]
)
def test_anything_else_is_no_duration(text: Any) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


def test_a_duration_is_described_in_words() -> None:
    assert describe_duration(timedelta(days=2, hours=1, minutes=1, seconds=5)) == "2 days 1 hour 1 minute 5 seconds"
    assert describe_duration(timedelta()) == "no time"


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("sat,sun", WEEKEND),
        ("Sat - Sun", WEEKEND),
        (["sat", "sun"], WEEKEND),
        ("sat-mon", WEEKEND | {Weekday.MON}),
        ("mon-sun", frozenset(Weekday)),
        ("wed", frozenset({Weekday.WED})),
    ],
    ids=str,
)
def test_days_of_a_window(written: Any, days: frozenset[Weekday]) -> None:
    assert Window.model_validate({"days": written}).days == days


@pytest.mark.parametrize("written", ["", "mo", "mon-", ",", "mon;tue", [], [1], 3, None, "mon-tue-wed"])
def test_anything_else_is_no_set_of_days(written: Any) -> None:
    if written == "mon-":
        assert Window.model_validate({"days": written}).days == frozenset({Weekday.MON})
        return
    with pytest.raises(ValidationError):
        Window.model_validate({"days": written})


def test_a_window_is_every_day_all_day_unless_it_says_otherwise() -> None:
    window = Window()
    assert (window.days, window.from_, window.to, window.holidays) == (frozenset(Weekday), time(0), time(0), False)


@pytest.mark.parametrize(
    "written", ["8:00", "25:00", "24:01", "08:00:00", "08:00Z", " 08:00", "08:00\n", 8, 8.5, None, True]
)
def test_a_time_of_day_is_two_digits_each(written: Any) -> None:
    with pytest.raises(ValidationError):
        Window.model_validate({"from": written})


@pytest.mark.parametrize("written", ["yes", 1, "true", None])
def test_holidays_are_true_or_false(written: Any) -> None:
    with pytest.raises(ValidationError):
        Window.model_validate({"holidays": written})


@pytest.mark.parametrize("key", ["a", "a1", "review-request", "a-1-b"])
def test_keys(key: str) -> None:
    assert TypeAdapter(Key).validate_python(key) == key


@pytest.mark.parametrize("key", ["", "1a", "A", "a_b", "a--b", "-a", "a-", "a b", "ä", "a\n", "a" * 61])
def test_anything_else_is_no_key(key: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Key).validate_python(key)


@pytest.mark.parametrize("name", ["order.placed", "Signed Up", "Käufe", "x" * 200])
def test_event_names_are_as_producers_write_them(name: str) -> None:
    assert TypeAdapter(EventName).validate_python(name) == name


@pytest.mark.parametrize("name", ["", " a", "a\nb", "a\tb", "x" * 201])
def test_anything_else_is_no_event_name(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(EventName).validate_python(name)


@pytest.mark.parametrize(
    ("value", "reference"),
    [
        ("$entry.a", "a"),
        ("$entry.a.b_1", "a.b_1"),
        ("$entry", None),
        ("x$entry.a", None),
        ("$entry.a\n", None),
        (3, None),
    ],
)
def test_references_to_the_entry(value: Any, reference: str | None) -> None:
    assert entry_reference(value) == reference
