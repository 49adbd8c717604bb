"""Steering many enrollments at once, as it is asked for and answered."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.enrollments import CommandRequest, ResumeRequest
from api.schemas.fields import Instant, Output
from crm.models.steering import Steer
from crm.steering import AtStep
from journeys.conditions.registry import Condition
from journeys.migration import Inside
from journeys.resuming import Resuming
from journeys.values import Key

__all__ = ["AtStepRequest", "FoundView", "ResumeRequest", "SteeringView", "StopRequest", "StoppedView"]


class StopRequest(CommandRequest):
    """What becomes of those inside, and why it is stopped."""

    inside: Literal[Inside.FINISH, Inside.STOP] = Field(
        default=Inside.FINISH, description="They finish in their version, or are ended as soon as Temporal is told."
    )


class AtStepRequest(CommandRequest):
    """Whom of those at the step it is about, and why."""

    due_before: Instant | None = Field(default=None, description="Only those whose wait would end before this.")
    where: Condition | None = Field(
        default=None,
        description="Only those whose contacts this condition holds for, one that a segment may be made of.",
    )
    limit: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None, description="Only so many: those who entered first."
    )
    parked: bool = Field(default=False, description="Only those who need attention.")
    attention: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]*$")] | None = Field(
        default=None,
        description="Only those who need attention for a reason that contains this.",
        examples=["has no variable"],
    )
    plan: bool = Field(default=False, description="Only count whom it would find; nothing is changed.")

    def whom(self, step: Key) -> AtStep:
        """The same in the words of the domain."""
        return AtStep(step, self.due_before, self.limit, self.parked, self.attention, self.where)


class SteeringView(Output):
    """An order, and how far it has come. ordered = carried + refused + gone + waiting."""

    id: int
    action: Steer
    step: str | None = Field(description="Only those at this step; null: everybody inside.")
    due_before: datetime | None
    where: dict[str, Any] | None = Field(description="Only those whose contacts this condition holds for.")
    limit: int | None
    parked: bool = Field(description="Only those who need attention.")
    attention: str | None = Field(description="Only those who need it for a reason that contains this.")
    timers: Resuming | None = Field(description="Of `resume`: what becomes of the time that has passed.")
    by: str
    reason: str
    ordered: int = Field(description="Contacts found so far.")
    carried: int
    refused: int = Field(description="Had gone on by themselves, or were in a state that does not allow it.")
    gone: int = Field(description="Had ended by themselves.")
    waiting: int = Field(description="Ordered and not yet carried out.")
    done: bool
    last_refusal: str | None
    beyond_recall: int | None = Field(
        description="Of `stop`: messages to those inside that were with the carrier already, or went afterwards."
    )
    created_at: datetime


class StoppedView(Output):
    """What stopping a journey came to."""

    key: str
    versions: list[int] = Field(description="The versions that took contacts until now.")
    inside: int = Field(description="Contacts inside at that moment.")
    steering: SteeringView | None = Field(description="How they are ended; null where they finish.")


class FoundView(Output):
    """Whom an order at a step finds."""

    count: int | None = Field(description="With `plan`: how many it would find now.")
    steering: SteeringView | None = Field(description="The order; null with `plan`.")
