"""What travels to and from a running `ContactJourney`: its input, its result, its signal, its updates, its query."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from journeys.outcomes import JourneyState
from journeys.plan import Plan
from journeys.resuming import Resuming
from workflows.state import EnrollmentState, Met


def compact_plan(plan: Plan) -> dict[str, Any]:
    """The plan as it travels in `JourneyRun.plan`: JSON without what equals the language's defaults.

    So a default of the journey language never changes: it would change the plans of running enrollments (ADR 0005).
    """
    return plan.model_dump(mode="json", by_alias=True, exclude_defaults=True)


class JourneyRun(BaseModel, frozen=True):
    """Input of `ContactJourney`. `plan` is a `compact_plan`; `state` is set on continued runs."""

    enrollment_id: UUID
    contact_id: UUID
    plan: dict[str, Any]
    entered_at: datetime
    entry_event_id: str | None = None
    entry_event: str | None = None
    """Name of the event it started with (a name, never its properties)."""
    state: EnrollmentState | None = None


class Outcome(BaseModel, frozen=True):
    """How an enrollment ended."""

    state: JourneyState
    reason: str = ""


class Delivery(BaseModel, frozen=True):
    """Signal `deliver`: an event of the contact met these criteria. Ignored where `enrollment_id` is another's."""

    enrollment_id: UUID
    event_id: str
    at: datetime
    criteria: list[str]
    reason: str = ""
    version: int | None = Field(default=None, exclude_if=lambda value: value is None)
    """The version whose criteria these are; to an enrollment in another version they mean nothing."""
    exit_at: list[str] | None = Field(default=None, exclude_if=lambda value: value is None)
    """Of `EXIT_REQUESTED`: it counts only for an enrollment of this version at one of these steps; None: at any."""


EXIT_REQUESTED = "exit:requested"
"""Criterion id by which ops, the API or a withdrawal of consent ends an enrollment; `Delivery.reason` says why."""


class Place(BaseModel, frozen=True):
    """Where an enrollment was found: the step, and since when it stood there (aware)."""

    step: str
    since: datetime


class Command(BaseModel, frozen=True):
    """Request of the updates `pause`, `skip`, `retry`, `end`. `by` is an opaque actor id, `reason` for people.

    With `enrollment_id`, a run that belongs to another enrollment (the contact entered again) rejects it; with `place`
    one that has gone on since.
    """

    by: str
    reason: str = ""
    enrollment_id: UUID | None = None
    place: Place | None = None


class Resume(Command, frozen=True):
    """Request of the update `resume`: go on, and what becomes of the time that has passed meanwhile."""

    timers: Resuming = Resuming.CATCH_UP


class Reschedule(Command, frozen=True):
    """Request of the update `reschedule`: end the running wait at this instant (aware); at once where it has passed."""

    at: datetime


class Decide(Command, frozen=True):
    """Request of the update `decide`: what a person says to an `approve`, at `step` where that is given."""

    answer: Literal["approved", "rejected"]
    step: str | None = None


class Explanation(BaseModel, frozen=True):
    """Answer of the query `explain`: where, since when, until when, why, what next."""

    state: JourneyState
    step: str | None
    doing: str
    """The step in plain words: "wait 1 day"."""
    since: datetime
    until: datetime | None
    attention: str | None
    held_back: str = ""
    """Where the gate defers a message: why, without personal data."""
    next: list[str]
    """What may come next, in plain words."""
    met: dict[str, Met]
    results: dict[str, str]
