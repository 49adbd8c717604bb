"""How much of a contact's attention a journey may take: its priority, what becomes of it at the cap, and repetition.

What an author writes. How many messages are too many is a setting; who waits for whom is in `messaging.frequency`.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from journeys.duration import describe_duration, parse_duration, write_duration


class Priority(StrEnum):
    """Whose message goes first where several journeys wait for the same contact."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """The higher, the more it matters."""
        return tuple(Priority).index(self)


class AtCap(StrEnum):
    """What becomes of a message that would be one too many: it waits for its turn, or is left out."""

    DEFER = "defer"
    SKIP = "skip"


ALWAYS = "always"
NEVER = "never"
Words = Literal["always", "never"]


def _repeat(value: Any) -> Any:
    return value if value in (ALWAYS, NEVER) else parse_duration(value)


def write_repeat(repeat: "Words | timedelta") -> str:
    """As it is written in a document."""
    return write_duration(repeat) if isinstance(repeat, timedelta) else repeat


Repeat = Annotated[
    Words | timedelta,
    BeforeValidator(_repeat),
    PlainSerializer(write_repeat, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["30d", NEVER, ALWAYS]}),
]
"""When the same template may go to the same contact again: after so long, never, or always."""


def described(repeat: "Words | timedelta") -> str:
    """In words, such as `again after 18 hours`."""
    if isinstance(repeat, timedelta):
        return f"again after {describe_duration(repeat)}"
    return "only once" if repeat == NEVER else "as often as it is asked for"
