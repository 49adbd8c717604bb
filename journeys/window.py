"""The send window as a journey writes it. When it opens next is computed in `journeys.timing`."""

import re
from datetime import time, timedelta
from enum import IntEnum, StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from journeys.duration import Duration
from journeys.refusals import refused, shown
from journeys.values import Flag, Strict

_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WALL_TIME = re.compile(r"^([01][0-9]|2[0-3]):([0-5][0-9])$|^24:00$")


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
    """`mon-fri`, `sat, sun`, `fri-mon` (over the weekend) or a list of these as a set of weekdays."""
    if isinstance(value, list | tuple) and value and all(isinstance(part, str) for part in value):
        return frozenset().union(*(_parse_days(part) for part in value))
    if not isinstance(value, str):
        return value if isinstance(value, frozenset) else _refuse_days(value)
    days: set[Weekday] = set()
    for part in value.split(","):
        first, _, last = part.strip().lower().partition("-")
        names = (first.strip(), last.strip() or first.strip())
        if any(name not in _NAMES for name in names):
            _refuse_days(value)
        start, end = (_NAMES.index(name) for name in names)
        days |= {Weekday(day % 7) for day in range(start, (end if end >= start else end + 7) + 1)}
    return frozenset(days)


def _refuse_days(value: Any) -> None:
    raise refused(
        f"{shown(value)} is not a set of weekdays.", f"Write mon-fri, or sat,sun; days are {', '.join(_NAMES)}."
    )


def _write_days(days: frozenset[Weekday]) -> str:
    return ",".join(_NAMES[day] for day in sorted(days))


def _parse_time(value: Any) -> Any:
    """A wall time from `HH:MM`. A number is refused: it would be taken for seconds since midnight."""
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not _WALL_TIME.fullmatch(value):
        raise refused(f"{shown(value)} is not a time of day.", 'Write hours and minutes in quotes, such as "08:00".')
    return time(0) if value == "24:00" else time.fromisoformat(value)


def write_time(wall: time) -> str:
    """A wall time as `HH:MM`."""
    return wall.strftime("%H:%M")


def within(wall: time, from_: time, to: time) -> bool:
    """Whether a time of day lies in these hours: `from_` is inside, `to` is not; a night goes over midnight.

    Equal times mean the whole day.
    """
    if from_ < to:
        return from_ <= wall < to
    return from_ == to or wall >= from_ or wall < to


Days = Annotated[
    frozenset[Weekday],
    BeforeValidator(_parse_days),
    PlainSerializer(_write_days, return_type=str),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
            "examples": ["mon-fri", "sat,sun", ["mon", "wed"]],
        }
    ),
]
WallTime = Annotated[
    time,
    BeforeValidator(_parse_time),
    PlainSerializer(write_time, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _WALL_TIME.pattern, "examples": ["08:00", "24:00"]}),
]


def _within_a_day(spread: timedelta) -> timedelta:
    if not timedelta() < spread <= LONGEST_SPREAD:
        raise refused("a spread is longer than nothing and at most a day.", "Write for example `spread: 30m`.")
    return spread


LONGEST_SPREAD = timedelta(days=1)
Spread = Annotated[Duration, AfterValidator(_within_a_day)]
"""Over how long messages that were held back leave."""


class WhenClosed(StrEnum):
    """What becomes of a message while it may not leave: it waits for the next opening, or is left out.

    It may not leave while the window is closed, nor in the quiet hours its contact asked for.
    """

    DEFER = "defer"
    SKIP = "skip"


class Window(Strict):
    """Days and hours, in the contact's own time zone, in which messages may leave.

    `from` is inside, `to` is outside. `from` later than `to` is a night: 22:00-06:00 opens in the evening of a listed
    day and closes the next morning. Equal times mean the whole day. With `holidays: true` the public holidays of the
    contact's country and region are closed (True means: holidays are respected).

    With `spread` messages that were held back leave evenly over that time from the opening on, not all in its minute.
    Which contact comes when is worked out in `journeys.spreading`.
    """

    days: Days = frozenset(Weekday)
    from_: WallTime = Field(default=time(0), alias="from")
    to: WallTime = time(0)
    holidays: Flag = False
    spread: Spread | None = Field(
        default=None,
        exclude_if=lambda spread: spread is None,  # windows from before there was a spread stay what they were
        description="Over how long messages that were held back leave once it opens; each contact has its place.",
    )

    @property
    def lasts(self) -> timedelta:
        """How long it is open from an opening on, by the wall clock; 24 hours where it is open the whole day."""
        opens, closes = (timedelta(hours=wall.hour, minutes=wall.minute) for wall in (self.from_, self.to))
        return closes - opens if closes > opens else closes - opens + timedelta(days=1)
