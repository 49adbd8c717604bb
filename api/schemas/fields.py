"""Field types that several bodies share: names of people and things, instants, pages."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
EXAMPLE_ID = UUID("0199f5c1-7c1e-7a10-9d6b-3f2a8e5b1c4d")
EXAMPLE_INSTANT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_ISO = re.compile(r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?\s*([Zz]|[+-]\d\d:?\d\d)?$")
_REMEDY = "Write ISO 8601 with a time zone, such as 2026-03-01T09:30:00Z."


def _iso(value: Any) -> Any:
    if isinstance(value, str) and not _ISO.match(value):
        raise ValueError(f"'{value[:60]}' is not an instant. | {_REMEDY}")
    if isinstance(value, str):
        return value.replace(",", ".")
    if isinstance(value, datetime):
        return value
    # A TypeError would leave pydantic as an error of ours instead of the caller's.
    raise ValueError(f"An instant is a text in ISO 8601. | {_REMEDY}")


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"'{value.isoformat()}' has no time zone. | {_REMEDY}")
    if not EARLIEST < value < LATEST:
        raise ValueError(f"The year {value.year} is out of range. | Write an instant between 1900 and 2200.")
    return value.astimezone(UTC)


Instant = Annotated[datetime, BeforeValidator(_iso, json_schema_input_type=str), AfterValidator(_aware)]
"""An instant in ISO 8601 with a time zone; aware UTC after validation."""


def _text_of_number(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _none_of_blank(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


Identifier = Annotated[
    str, BeforeValidator(_text_of_number), StringConstraints(min_length=1, max_length=255, strip_whitespace=True)
]
"""An id somebody else gave. Numbers are read as their text."""
OptionalIdentifier = Annotated[Identifier | None, BeforeValidator(_none_of_blank)]
"""The same, where blank means absent."""

PlainText = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=1_000)]
"""Text in an address or header. U+0000 cannot be stored."""

PlainName = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=255)]
"""A contact's name in an address, as long as an `Identifier` may be: no contact has a longer one."""


class Input(BaseModel):
    """Base of what callers send: an unknown field is an error instead of a silent typo."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Output(BaseModel):
    """Base of what we answer."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


Item = TypeVar("Item")


class Page(Output, Generic[Item]):
    """A page of a listing."""

    items: list[Item]
    next: str | None = Field(
        description="Pass it as `cursor` to read on; null on the last page.", examples=["WyIwMTljIl0"]
    )


def sequence_number(text: str) -> int:
    """A number of the event log. Raises `ValueError` for one that no log can hold."""
    number = int(text)
    if not 0 <= number < 2**63:
        raise ValueError("no number of a log")
    return number
