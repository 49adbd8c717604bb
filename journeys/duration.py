"""Durations as journeys write them: `90s`, `15m`, `24h`, `1d`, `2w`. A `d` is exactly 24 hours; calendar days are another thing."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PART = re.compile(r"(\d+)\s*([smhdw])")
_WHOLE = re.compile(rf"^(?:{_PART.pattern}\s*)+$")


def parse_duration(text: Any) -> Any:
    """`"1d 12h"` as a timedelta. A timedelta passes through. Raises ValueError with the allowed forms otherwise."""
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or not _WHOLE.match(text.strip()):
        raise ValueError(f"{text!r} is not a duration: write a number and a unit, such as 90s, 15m, 24h, 1d or 2w")
    return sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in _PART.findall(text)), timedelta())


def write_duration(duration: timedelta) -> str:
    """The shortest way to write a duration; `parse_duration` reads it back to the same value (whole seconds)."""
    seconds, parts = int(duration.total_seconds()), []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number}{unit}")
    return " ".join(parts) or "0s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(write_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _WHOLE.pattern, "examples": ["1d", "2w", "1d 12h"]}),
]
"""A span of exact time; in YAML and JSON a string such as `1d`, where a day is 24 hours."""
