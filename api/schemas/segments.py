"""Segments as they are sent and answered."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from api.schemas.fields import EXAMPLE_ID, EXAMPLE_INSTANT, Input, Output
from journeys.conditions.registry import Condition
from journeys.segments import Backfill

EXAMPLE_CONDITION: dict[str, Any] = {"event": "order.placed", "where": {"amount": {"at_least": 100}}, "within": "90d"}


class SegmentInput(Input):
    """A segment. It takes the place of what was under the key."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: Annotated[str, Field(max_length=5_000)] = ""
    condition: Condition = Field(description="Who is in it: a condition as journeys write them.")
    backfill: Backfill = Field(
        default=Backfill.NONE,
        description="Whether journeys are told of those who come in or leave by this definition, as if it had happened "
        "to them now. See the count first: `POST /v1/segments/preview`.",
    )


class PreviewInput(Input):
    """A condition to try."""

    condition: Condition


class PreviewView(Output):
    """Whom a condition holds for now."""

    count: int
    undecidable: int = Field(description="Contacts of whom nobody can tell, since values do not compare; not in it.")
    sample: list[UUID] = Field(description="Ten of those it holds for at most, in the order of their making.")


class SegmentItem(Output):
    """A segment in a listing."""

    key: str
    name: str
    description: str
    version: int = Field(description="Counts the changes of its definition.")


class SegmentView(SegmentItem):
    """A segment, and how many are in it."""

    condition: dict[str, Any]
    in_words: str
    members: int
    journeys: list[str] = Field(description="Journeys that name it and are live, or have contacts inside.")


class SegmentWritten(Output):
    """What defining a segment came to."""

    key: str
    version: int
    created: bool
    members: int
    entered: int = Field(description="Who came in by this definition.")
    left: int = Field(description="Who left by it.")
    told: int = Field(
        description="Changes that journeys are told of, those of segments that ask for this one included."
    )


class SegmentRemoved(Output):
    """A segment that is no more."""

    key: str
    members: int = Field(description="How many were in it. Journeys are told of nobody by this.")


class MemberView(Output):
    """A contact in a segment."""

    contact_id: UUID
    since: datetime
    because: str = Field(description="After what it came in.")
    cause_event_id: str | None = Field(description="The event, where it was one.")


class JudgedView(Output):
    """Whether the condition holds for one contact, and why, judged now; and whether the contact is a member."""

    contact_id: UUID
    holds: bool | None = Field(description="null: nobody can tell, since values do not compare.")
    because: str
    member: MemberView | None


REQUEST = SegmentInput.model_validate({"name": "Good customers", "condition": EXAMPLE_CONDITION}).model_dump(
    mode="json", by_alias=True, exclude_defaults=True
)
PREVIEW = PreviewView(count=1_204, undecidable=3, sample=[EXAMPLE_ID])
WRITTEN = SegmentWritten(key="good-customers", version=1, created=True, members=1_204, entered=1_204, left=0, told=0)
REMOVED = SegmentRemoved(key="good-customers", members=1_204)
SEGMENT = SegmentView(
    key="good-customers",
    name="Good customers",
    description="",
    version=1,
    condition=EXAMPLE_CONDITION,
    in_words="at least 1 order.placed where amount is at least 100 within 90 days",
    members=1_204,
    journeys=["loyal-customer"],
)
MEMBER = MemberView(
    contact_id=EXAMPLE_ID, since=EXAMPLE_INSTANT, because="after order.placed", cause_event_id="order-4711"
)
JUDGED = JudgedView(
    contact_id=EXAMPLE_ID,
    holds=True,
    because="1 order.placed with amount as asked, the latest on 2026-03-01 09:30 UTC; asked: at least 1",
    member=MEMBER,
)
