"""The send window as a journey writes it. When it opens next is computed in `journeys.timing`."""

from datetime import time
from enum import IntEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from journeys.values import Strict

_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Weekday(IntEnum):
    """Monday is 0, as in `date.weekday()`."""

    MON = 0
    TUE = 1
    WED = 2
    THU = 3
    FRI = 4
    SAT = 5
    SUN = 6


def _parse_days(value: Any) -> Any:
    """`mon-fri`, `sat, sun`, `fri-mon` (over the weekend) as a set of weekdays."""
    if not isinstance(value, str):
        return value
    days: set[Weekday] = set()
    for part in value.split(","):
        first, _, last = part.strip().lower().partition("-")
        names = (first, last or first)
        if any(name not in _NAMES for name in names):
            raise ValueError(f"{value!r} is not a set of weekdays: write mon-fri, or sat,sun; days are {', '.join(_NAMES)}")
        start, end = (_NAMES.index(name) for name in names)
        days |= {Weekday(day % 7) for day in range(start, (end if end >= start else end + 7) + 1)}
    return frozenset(days)


def _write_days(days: frozenset[Weekday]) -> str:
    return ",".join(_NAMES[day] for day in sorted(days))


def _parse_time(value: Any) -> Any:
    return time(0) if value == "24:00" else value


Days = Annotated[
    frozenset[Weekday],
    BeforeValidator(_parse_days),
    PlainSerializer(_write_days, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["mon-fri", "sat,sun"]}),
]
WallTime = Annotated[time, BeforeValidator(_parse_time), PlainSerializer(lambda t: t.strftime("%H:%M"), return_type=str)]


class Window(Strict):
    """Days and hours, in the contact's own time zone, in which messages may leave.

    `from` is inside, `to` is outside. `from` later than `to` is a night: 22:00-06:00 opens in the evening of a listed
    day and closes the next morning. Equal times mean the whole day. With `holidays: true` the public holidays of the
    contact's country and region are closed (True means: holidays are respected).
    """

    days: Days = frozenset(Weekday)
    from_: WallTime = Field(default=time(0), alias="from")
    to: WallTime = time(0)
    holidays: bool = False
