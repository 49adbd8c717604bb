"""What the parts of a journey document share: identifiers, event criteria, consent, the strict base model."""

import math
import re
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from journeys.refusals import kind_of, refused, shown

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
"""Identifier of a journey, step, list, template or model: lower case, digits, single hyphens."""

EventName = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f][^\x00-\x1f]*$", max_length=200)]
"""Name of an event as its producer writes it, e.g. `order.placed` or `Signed Up`; at most 200 characters."""


CONTACT_UPDATED = "contact.updated"
"""The event that follows a change of a contact; its property `changed` lists the attributes."""
GOAL_MET = "journey.goal_met"
"""The event that follows when the goal of a journey is met; its property `journey` names the journey."""
JOURNEY_COMPLETED = "journey.completed"
"""The event that follows when a contact has come to the end of the steps; `journey`, and the last `step`."""
JOURNEY_EXITED = "journey.exited"
"""The event that follows when a contact has left a journey in any other way but by its goal; `journey`, and where."""


LARGEST_WHOLE = 2**31 - 1
"""No count and no number of points is larger; a database counts in 32 bits."""
_LARGEST_FLOAT = int(sys.float_info.max)


def _demand_finite(value: Any) -> None:
    """Refuses what no number of double precision can stand for; whole numbers of Python have no end."""
    if isinstance(value, int) and abs(value) > _LARGEST_FLOAT:
        raise refused(f"{shown(value)} is too large to compare with.", "Write a number that people count with.")
    if isinstance(value, float) and not math.isfinite(value):
        raise refused(f"{value} is not a number to compare with.", "Write a finite number.")


def _scalar(value: Any) -> Any:
    if not (value is None or isinstance(value, str | int | float)):
        raise refused(f"{kind_of(value)} cannot stand here.", "Write a text, a number, true, false or null.")
    _demand_finite(value)
    return value


Scalar = Annotated[str | int | float | bool | None, BeforeValidator(_scalar)]


def _number(value: Any) -> Any:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise refused(f"{shown(value)} is not a number.", "Write a number without quotes, such as 3 or 49.90.")
    _demand_finite(value)
    return value


Number = Annotated[int | float, BeforeValidator(_number)]
"""A finite number. A text of digits is not one, so that the document means the same to every reader of it."""


def _whole(value: Any) -> Any:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise refused(f"{shown(value)} is not a whole number.", "Write a whole number without quotes, such as 3.")
    if value is not None and abs(value) > LARGEST_WHOLE:
        raise refused(f"{shown(value)} is too large.", f"Write at most {LARGEST_WHOLE}.")
    return value


Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number."""


def _flag(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    raise refused(f"{shown(value)} is neither true nor false.", "Write true or false, without quotes.")


Flag = Annotated[bool, BeforeValidator(_flag)]
"""`true` or `false`. `yes` and `on` are texts in YAML 1.2 and not taken for true."""

PropertyPath = Annotated[str, Field(min_length=1, max_length=200)]
"""Name of a property or attribute; nested ones are reached with dots: `address.city`."""

ENTRY_REFERENCE = re.compile(r"^\$entry\.([A-Za-z0-9_.]+)$")
"""`$entry.product_id`: the property of the event this enrollment started with."""


STEP_REFERENCE = re.compile(r"^\$step\.([a-z0-9]+(?:-[a-z0-9]+)*)\.([A-Za-z0-9_.]+)$")
"""`$step.paid.amount`: a property of the event that the earlier step `paid` has met."""


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
    """`{at_least: 3}` and the like, where a plain value means equality. Every operator given must hold.

    Null means "not given". That a property is missing or null is written `{exists: false}`, or as a plain null.
    """

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    equals: Scalar = None
    not_equals: Scalar = None
    at_least: Number | None = None
    at_most: Number | None = None
    one_of: tuple[Scalar, ...] | None = None
    exists: Flag | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Comparison":
        if all(value is None for value in self.operators().values()):
            raise refused("this compares with nothing.", f"Give one of {', '.join(type(self).model_fields)}.")
        return self

    def operators(self) -> dict[str, Any]:
        """The operators given, by name."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in given.items() if value is not None}


def _null_is_missing(value: Any) -> Any:
    return Comparison(exists=False) if value is None else value


def _asked_kind(value: Any) -> str:
    return "comparison" if isinstance(value, dict | Comparison) else "value"


Asked = Annotated[
    Annotated[Scalar, Tag("value")] | Annotated[Comparison, Tag("comparison")],
    Discriminator(_asked_kind),
    BeforeValidator(_null_is_missing),
]
"""What a property is compared with: a plain value (equality; null: is missing) or a comparison."""

Where = Mapping[PropertyPath, Asked]
"""Property name → value or comparison; `$entry.x` stands for a property of the entry event."""


class EventCriterion(Strict):
    """An event by name whose properties satisfy `where`."""

    event: EventName
    where: Where = Field(default_factory=dict)


Since = Literal["entry", "step", "ever"]


def entry_reference(value: Any) -> str | None:
    """The property `x` that `$entry.x` names, or None for any other value."""
    match = ENTRY_REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return match.group(1) if match else None


def is_step_reference(value: Any) -> bool:
    """Whether a value is written `$step.paid.amount`; what it stands for is in `journeys.step_references`."""
    return isinstance(value, str) and STEP_REFERENCE.fullmatch(value) is not None
