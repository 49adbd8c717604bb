"""Bodies of the tracking operations: the calls of Segment's HTTP API under their own names, and our plain event."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from api.schemas.fields import Identifier, Input, Instant, OptionalIdentifier, Output
from journeys.values import EventName

Properties = dict[str, Any]
_Name = Annotated[str, Field(max_length=1_000)]


class Call(BaseModel):
    """What every call of Segment's API may carry. Fields we do not use are read over, as Segment does."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    user_id: OptionalIdentifier = Field(default=None, description="Your own id of the contact.")
    anonymous_id: OptionalIdentifier = Field(default=None, description="Id of a contact who is not known yet.")
    message_id: OptionalIdentifier = Field(
        default=None, description="Id of the event: the same id twice counts once. Made up by us where it is missing."
    )
    timestamp: Instant | None = Field(default=None, description="When it occurred; where missing: now.")
    original_timestamp: Instant | None = Field(default=None, description="Read where `timestamp` is missing.")
    sent_at: Instant | None = Field(
        default=None, description="The sender's clock. A clock more than a minute off shifts `timestamp` by as much."
    )
    context: Properties | None = Field(default=None, description="Kept as property `context`, less `library`.")


class Identify(Call):
    """Who a contact is."""

    type: Literal["identify"] = "identify"
    traits: Properties | None = Field(default=None, description="`email`, `firstName`, `timezone` … and your own.")


class Track(Call):
    """What a contact did."""

    type: Literal["track"] = "track"
    event: EventName = Field(description="Name of the event, e.g. `order.placed`.")
    properties: Properties | None = None


class _View(Call):
    name: _Name | None = None
    category: _Name | None = None
    properties: Properties | None = None


class PageView(_View):
    """A page a contact looked at."""

    type: Literal["page"] = "page"


class ScreenView(_View):
    """A screen of an app a contact looked at."""

    type: Literal["screen"] = "screen"


class Group(Call):
    """A group, such as a company, that a contact belongs to."""

    type: Literal["group"] = "group"
    group_id: Identifier
    traits: Properties | None = Field(default=None, description="Traits of the group.")


class Alias(Call):
    """Another name of a contact: `previousId` leads to the contact of `userId` from now on, where it was free."""

    type: Literal["alias"] = "alias"
    previous_id: Identifier


AnyCall = Annotated[Identify | Track | PageView | ScreenView | Group | Alias, Field(discriminator="type")]


class Batch(BaseModel):
    """Several calls. All of them are accepted, or none."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    batch: list[AnyCall]
    sent_at: Instant | None = Field(default=None, description="Counts for every call without one of its own.")
    context: Properties | None = Field(default=None, description="Counts for every call without one of its own.")


class Accepted(Output):
    """The answer of Segment's API."""

    success: Literal[True] = True


class ContactNames(Input):
    """The names you know a contact by; at least one. A contact that does not exist yet is made."""

    id: UUID | None = Field(default=None, description="Our id of an existing contact.")
    user_id: OptionalIdentifier = Field(default=None, description="Your own id.", examples=["customer-4711"])
    anonymous_id: OptionalIdentifier = None
    email: OptionalIdentifier = Field(default=None, examples=["ada@example.com"])


class EventInput(Input):
    """One event, in our own words."""

    event: EventName = Field(description="Name of the event.", examples=["order.placed"])
    event_id: OptionalIdentifier = Field(default=None, description="The same id twice counts once.")
    contact: ContactNames
    properties: Properties = Field(default_factory=dict)
    occurred_at: Instant | None = Field(default=None, description="Where missing: now.")


class EventAccepted(Output):
    """What became of an event."""

    event_id: str
    contact_id: UUID
    new: bool = Field(description="False where an event of this id was accepted before; then nothing changed.")


class FollowsFrom(Output):
    """The step of an enrollment that an event follows from. Why it was taken, the enrollment's decisions say."""

    enrollment_id: UUID
    step: str
    iteration: int = Field(description="The how-manieth time the step was taken.")


class EventItem(Output):
    """An event of a contact."""

    event_id: str
    name: str
    properties: Properties
    occurred_at: datetime
    received_at: datetime
    source: str
    follows_from: FollowsFrom | None = Field(
        default=None, description="Of an event that a step of a journey has had happen: which step that was."
    )
