"""Tasks as they are listed, completed and cancelled."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from api.schemas.fields import EXAMPLE_ID, EXAMPLE_INSTANT, Input, Output, Page
from crm.tasks import TaskState
from journeys.values import Key


class TaskView(Output):
    """Something a person is to do for a contact."""

    id: UUID
    contact_id: UUID
    enrollment_id: UUID
    journey: Key = Field(validation_alias="journey_key")
    step: Key
    iteration: int
    kind: Key
    title: str
    details: str
    owner: str = Field(description="A team or role.")
    due_at: datetime
    state: TaskState
    outcome: str = Field(description="What came of it; of a cancelled task, why.")
    done_by: str | None = Field(description="Whose key closed it, or the enrollment that ended.")
    created_at: datetime
    closed_at: datetime | None


class DoneRequest(Input):
    """What came of a task."""

    outcome: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = Field(
        default="", description="A word journeys can go by, as `where: {outcome: …}`.", examples=["reached"]
    )


class CancelRequest(Input):
    """Why a task is not to be done."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = Field(
        default="", examples=["The customer has called by himself."]
    )


EXAMPLE = TaskView(
    id=EXAMPLE_ID,
    contact_id=EXAMPLE_ID,
    enrollment_id=EXAMPLE_ID,
    journey_key="survey",
    step="call",
    iteration=1,
    kind="call",
    title="Call the contact, who is not content with the order A-1",
    details="",
    owner="service",
    due_at=EXAMPLE_INSTANT,
    state=TaskState.DONE,
    outcome="reached",
    done_by="key:4a1c0f2e9b",
    created_at=EXAMPLE_INSTANT,
    closed_at=EXAMPLE_INSTANT,
)
PAGE = Page[TaskView](items=[EXAMPLE], next=None)
DONE = {"outcome": "reached"}
CANCEL = {"reason": "The customer has called by himself."}
