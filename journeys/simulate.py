"""What a simulated journey is told: who the pretended contact is, and what happens to it. Documents only, and pure.

Walking the journey, with the real workflow and without a database, is in `cli.simulation`.
"""

from datetime import datetime, tzinfo
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from journeys.duration import Duration
from journeys.model import Journey, PerProperty
from journeys.refusals import refused, shown
from journeys.stages import Stage
from journeys.tasks import named_in
from journeys.values import (
    Comparison,
    ConsentRequirement,
    EventName,
    Flag,
    Key,
    Purpose,
    Strict,
    Where,
    entry_reference,
)
from journeys.walk import values, visits

SOMEBODY = UUID("0190a000-0000-7000-8000-000000000001")
ADDRESS = "ada@customers.example"
_DATES = {("wait", "date"), ("wait", "on")}
"""Where a step says which date it waits for."""


def parse_moment(value: Any) -> Any:
    """A date and time as `datetime.fromisoformat` reads it: `2026-03-02 10:00`. Naive: in the contact's zone.

    Raises:
        ValueError: it is none; the message says what to write.
    """
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise refused(f"{shown(value)} is not a date and time.", 'Write it as "2026-03-02 10:00".') from None


Moment = Annotated[
    datetime, BeforeValidator(parse_moment), WithJsonSchema({"type": "string", "examples": ["2026-03-02 10:00"]})
]


def _consent(value: Any) -> Any:
    return {"purpose": value} if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    """One may be written without the list around it, and none as null."""
    return () if value is None else [value] if isinstance(value, str | dict) else value


class PastEvent(Strict):
    """Something that happened to the contact before the simulation begins, so long `ago`. It starts no journey."""

    event: EventName
    properties: dict[str, Any] = Field(default_factory=dict)
    ago: Duration


class PretendedContact(Strict):
    """Somebody to walk a journey with. Keys that are none of these are attributes, such as `first_name: Ada`.

    Without a word about it the contact has an address and consents to marketing by email.
    """

    id: UUID = Field(default=SOMEBODY, description="Decides where a split leads, which goes by it.")
    attributes: dict[str, Any] = Field(default_factory=dict)
    consents: Annotated[
        tuple[Annotated[ConsentRequirement, BeforeValidator(_consent)], ...], BeforeValidator(_as_list)
    ] = (ConsentRequirement(purpose=Purpose.MARKETING),)
    lists: Annotated[tuple[Key, ...], BeforeValidator(_as_list)] = ()
    segments: Annotated[tuple[Key, ...], BeforeValidator(_as_list)] = Field(
        default=(), description="Segments the contact is in throughout, whatever happens."
    )
    history: tuple[PastEvent, ...] = ()
    stage: Stage = Stage.VISITOR
    suppressed: Flag = False
    holdout: Flag = Field(default=False, description="In the journey's holdout, whatever the draw says.")
    control_group: Flag = Field(default=False, description="In the global control group, whatever the draw says.")
    sold_out: Annotated[tuple[Key, ...], BeforeValidator(_as_list)] = Field(
        default=(), description="Voucher pools that have nothing left."
    )

    @model_validator(mode="before")
    @classmethod
    def _gather_attributes(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        known = {name: given for name, given in value.items() if name in cls.model_fields}
        others = {name: given for name, given in value.items() if name not in cls.model_fields}
        return {**known, "attributes": {"email": ADDRESS, **known.get("attributes", {}), **others}}


class ScriptedEvent(Strict):
    """An event of the contact, so long `after` the start or `at` a moment; at the start without either."""

    event: EventName
    properties: dict[str, Any] = Field(default_factory=dict)
    after: Duration | None = None
    at: Moment | None = None

    @model_validator(mode="after")
    def _one_time(self) -> "ScriptedEvent":
        if self.after is not None and self.at is not None:
            raise refused("it happens at two times.", "Give `after` or `at`, not both.")
        return self

    def occurs(self, start: datetime, zone: tzinfo) -> datetime:
        """When, aware, for a simulation that starts at this aware instant."""
        if self.at is not None:
            return self.at if self.at.tzinfo else self.at.replace(tzinfo=zone)
        return start + self.after if self.after else start


class Script(Strict):
    """What happens to the contact, in any order: `events: […]`, one or more."""

    events: tuple[ScriptedEvent, ...] = Field(min_length=1)


def example_entry(journey: Journey, *, date: str = "2030-01-01") -> dict[str, Any]:
    """Properties with which the journey's entry event is let in, and on which its `$entry.x` find something.

    What a wait reads as a date is `date`, in ISO 8601.
    """
    named = {reference for value, _ in values(journey) if (reference := entry_reference(value))}
    texts = (text for visit in visits(journey) for text in visit.step.texts().values())
    named |= {name for text in texts for name in named_in(text)}
    if isinstance(journey.entry.again, PerProperty):
        named.add(journey.entry.again.per)
    dates = {entry_reference(value) for value, path in values(journey) if path[-2:] in _DATES}
    dates |= {"date"} if journey.entry.date is not None else set()
    examples = {name: date if name in dates else f"example {name}" for name in sorted(named)}
    criterion = journey.entry.criterion
    return examples | (example_properties(criterion.where) if criterion is not None else {})


def example_properties(where: Where) -> dict[str, Any]:
    """Properties that satisfy a `where`, as far as one value per property can."""
    return {name: example for name, asked in where.items() if (example := _example(asked)) is not None}


def _example(asked: Any) -> Any:
    if not isinstance(asked, Comparison):
        return asked
    if asked.one_of:
        return asked.one_of[0]
    given = (asked.equals, asked.at_least, asked.at_most)
    found = next((value for value in given if value is not None), None)
    if found is not None:
        return found
    return None if asked.exists is False else f"other than {asked.not_equals}"
