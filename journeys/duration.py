"""Durations as journeys write them: `90s`, `15m`, `24h`, `1d`, `2w`.

A `d` is exactly 24 hours; calendar days are another thing.
"""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from journeys.refusals import refused, shown

LONGEST = timedelta(days=36_500)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WORDS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_PART = re.compile(r"([0-9]{1,12})\s*([smhdw])")
_WHOLE = re.compile(rf"^(?:{_PART.pattern}\s*)+$")


def parse_duration(text: Any) -> Any:
    """`"1d 12h"` as a timedelta. A timedelta passes through.

    Raises:
        ValueError: what was written is no duration, or longer than a hundred years; the message says what to write.
    """
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or not _WHOLE.fullmatch(text.strip()):
        raise refused(
            f"{shown(text)} is not a duration.", "Write a number and a unit, such as 90s, 15m, 24h, 1d or 2w."
        )
    try:
        duration = sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in _PART.findall(text)), timedelta())
    except OverflowError:
        duration = timedelta.max
    if duration > LONGEST:
        raise refused(f"{shown(text)} is longer than a hundred years.", "Write a shorter duration.")
    return duration


def write_duration(duration: timedelta) -> str:
    """The shortest way to write a duration; `parse_duration` reads it back to the same value (whole seconds)."""
    return " ".join(f"{number}{word[0]}" for word, number in _parts(duration)) or "0s"


def describe_duration(duration: timedelta) -> str:
    """A duration in words, in whole seconds: `1 day`, `2 days 12 hours`."""
    words = [f"{number} {word}{'' if number == 1 else 's'}" for word, number in _parts(duration)]
    return " ".join(words) or "no time"


def _parts(duration: timedelta) -> list[tuple[str, int]]:
    """The duration as numbers of days, hours, minutes and seconds, without the zeros."""
    seconds, parts = int(duration.total_seconds()), []
    for word, size in _WORDS:
        number, seconds = divmod(seconds, size)
        parts += [(word, number)] if number else []
    return parts


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(write_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _WHOLE.pattern, "examples": ["1d", "2w", "1d 12h"]}),
]
"""A span of exact time; in YAML and JSON a string such as `1d`, where a day is 24 hours."""
