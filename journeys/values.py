"""What the parts of a journey document share: identifiers, event criteria, consent, the strict base model."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
"""Identifier of a journey, step, list, template or model: lower case, digits, single hyphens."""

EventName = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f][^\x00-\x1f]*$", max_length=200)]
"""Name of an event as its producer writes it, e.g. `order.placed` or `Signed Up`; at most 200 characters."""

Scalar = str | int | float | bool | None

ENTRY_REFERENCE = re.compile(r"^\$entry\.([A-Za-z0-9_.]+)$")
"""`$entry.product_id`: the property of the event this enrollment started with."""


class Strict(BaseModel):
    """Base of all parts of a journey: immutable, and an unknown key is an error instead of a silent typo."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class MessageChannel(StrEnum):
    """A way to reach a contact."""

    EMAIL = "email"


class Purpose(StrEnum):
    """What a contact consented to be contacted for."""

    MARKETING = "marketing"
    SALES = "sales"


class ConsentRequirement(Strict):
    """Consent to one purpose over one channel, granted and not withdrawn."""

    purpose: Purpose = Purpose.MARKETING
    channel: MessageChannel = MessageChannel.EMAIL


class Comparison(Strict):
    """`{at_least: 3}` and the like, where a plain value means equality. Every operator given must hold."""

    equals: Scalar = None
    not_equals: Scalar = None
    at_least: float | None = None
    at_most: float | None = None
    one_of: tuple[Scalar, ...] | None = None
    exists: bool | None = None


Where = Mapping[str, Scalar | Comparison]
"""Property name → value or comparison; `$entry.x` stands for a property of the entry event."""


class EventCriterion(Strict):
    """An event by name whose properties satisfy `where`."""

    event: EventName
    where: Where = Field(default_factory=dict)


Since = Literal["entry", "step", "ever"]


def entry_reference(value: Any) -> str | None:
    """The property `x` that `$entry.x` names, or None for any other value."""
    match = ENTRY_REFERENCE.match(value) if isinstance(value, str) else None
    return match.group(1) if match else None
