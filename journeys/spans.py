"""Calendar spans and times of day as journeys write them: `1 day`, `2 weeks`, `3 months`; `09:00`, `09:00:30`.

A `1 day` is a day of the calendar, whatever the clocks do; `1d` is exactly 24 hours and lives in `journeys.duration`.
"""

import re
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from typing import Annotated, Any

from dateutil.relativedelta import relativedelta
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from journeys.duration import describe_duration, parse_duration, write_duration
from journeys.refusals import refused, shown

LONGEST_DAYS = 36_500
_SPAN = re.compile(r"^([0-9]{1,5})\s+(day|week|month|year)s?$", re.ASCII)
_CLOCK = re.compile(r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$", re.ASCII)
SPAN_AT_CLOCK = f"{_SPAN.pattern.removesuffix('$')}\\s+at\\s+{_CLOCK.pattern.removeprefix('^')}"
"""Pattern of a calendar span at a time of day."""


class Unit(StrEnum):
    """What a calendar span counts."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


_DAYS = {Unit.DAY: (1, 1), Unit.WEEK: (7, 7), Unit.MONTH: (28, 31), Unit.YEAR: (365, 366)}
_AT_MOST = {Unit.DAY: LONGEST_DAYS, Unit.WEEK: LONGEST_DAYS // 7, Unit.MONTH: 1_200, Unit.YEAR: 100}


@dataclass(frozen=True)
class Span:
    """A number of calendar days, weeks, months or years."""

    number: int
    unit: Unit

    def after(self, day: date) -> date:
        """The day so much later. Where the month has no such day, its last one: 31 January + 1 month, 29 February."""
        return day + self._delta()

    def before(self, day: date) -> date:
        """The day so much earlier, clipped in the same way."""
        return day - self._delta()

    def days(self) -> tuple[int, int]:
        """How many days it is at least and at most, whatever day it is counted from."""
        shortest, longest = _DAYS[self.unit]
        years, months = divmod(self.number, 12) if self.unit is Unit.MONTH else (0, self.number)
        return 365 * years + shortest * months, 366 * years + longest * months

    def _delta(self) -> relativedelta:
        match self.unit:
            case Unit.DAY:
                return relativedelta(days=self.number)
            case Unit.WEEK:
                return relativedelta(weeks=self.number)
            case Unit.MONTH:
                return relativedelta(months=self.number)
        return relativedelta(years=self.number)

    def __str__(self) -> str:
        return f"{self.number} {self.unit}{'' if self.number == 1 else 's'}"


def is_span(value: Any) -> bool:
    """Whether a text is written as a calendar span."""
    return isinstance(value, str) and _SPAN.fullmatch(value.strip()) is not None


def parse_span(value: Any) -> Any:
    """`"3 months"` as a Span. A Span passes through.

    Raises:
        ValueError: it is no calendar span, none at all, or longer than a hundred years.
    """
    if isinstance(value, Span):
        return value
    found = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise refused(f"{shown(value)} is not a calendar span.", "Write such as 1 day, 2 weeks, 3 months or 1 year.")
    number, unit = int(found[1]), Unit(found[2])
    if not 0 < number <= _AT_MOST[unit]:
        raise refused(f"{shown(value)} is no time, or more than a hundred years.", f"Write 1 to {_AT_MOST[unit]}.")
    return Span(number, unit)


def parse_clock(value: Any) -> Any:
    """A time of day from `HH:MM` or `HH:MM:SS`. A number is refused: it would be taken for seconds since midnight.

    Raises:
        ValueError: it is no time of day.
    """
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise refused(f"{shown(value)} is not a time of day.", 'Write hours and minutes in quotes, such as "09:00".')
    return time.fromisoformat(value)


def write_clock(wall: time) -> str:
    """A time of day as `HH:MM`, with seconds where there are any."""
    return wall.isoformat("seconds" if wall.second else "minutes")


def parse_offset(value: Any) -> Any:
    """A distance from a date: a calendar span, or exact time.

    Raises:
        ValueError: it is neither.
    """
    return parse_span(value) if is_span(value) or isinstance(value, Span) else parse_duration(value)


def write_offset(offset: timedelta | Span) -> str:
    """The text that `parse_offset` reads back to the same value."""
    return str(offset) if isinstance(offset, Span) else write_duration(offset)


def describe_offset(offset: timedelta | Span) -> str:
    """The distance in words."""
    return str(offset) if isinstance(offset, Span) else describe_duration(offset)


Clock = Annotated[
    time,
    BeforeValidator(parse_clock),
    PlainSerializer(write_clock, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _CLOCK.pattern, "examples": ["09:00", "18:30:15"]}),
]
"""A time of day on the wall, to the second."""

CalendarSpan = Annotated[
    Span,
    BeforeValidator(parse_span),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _SPAN.pattern, "examples": ["1 day", "2 weeks", "3 months"]}),
]
"""A span of the calendar; in YAML and JSON a text such as `3 months`."""

Offset = Annotated[
    timedelta | Span,
    BeforeValidator(parse_offset),
    PlainSerializer(write_offset, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["1d", "2h", "1 day", "3 months"]}),
]
"""A distance from a date: `1d` is exactly 24 hours, `1 day` a day of the calendar."""
