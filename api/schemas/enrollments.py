"""Enrollments: what starts one, where it stands, why, and how it is steered."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AliasChoices, Field

from api.schemas.fields import Identifier, Input, Instant, Output
from api.schemas.tracking import ContactNames, Properties
from intake.enrollment import EnrollmentRefusal
from intake.stuck import StuckKind
from journeys.outcomes import JourneyState, StepVerdict
from journeys.resuming import Resuming
from journeys.values import Flag, Key
from workflows.messages import Explanation


class EnrollmentRequest(Input):
    """Who shall enter, and with what."""

    contact: ContactNames
    properties: Properties = Field(
        default_factory=dict, description="What `$entry.x` stands for in the journey, as an entry event's properties."
    )
    entry_key: Identifier | None = Field(
        default=None, description="For journeys that take a contact once per value of a property: that value."
    )
    bypass_again: Flag = Field(
        default=False,
        description="Let the contact in although `again` says no; needs the scope `operate`, too. All else is asked as "
        "ever, and nobody is inside twice under the same key.",
    )


class EnrollmentView(Output):
    """Where an enrollment stands, as last reported to the database."""

    id: UUID
    journey_key: str
    version: int = Field(
        validation_alias=AliasChoices("told_version", "version"),
        description="Of a test run: the version that the draft would become.",
    )
    test: bool = Field(
        default=False,
        validation_alias=AliasChoices("is_test", "test"),
        description="Whether a test user tries a draft.",
    )
    contact_id: UUID
    entry_key: str
    state: JourneyState
    step: str | None
    since: datetime
    due_at: datetime | None = Field(description="End of the present wait.")
    attention: str | None = Field(description="Why it waits for somebody to look after it.")
    outcome: str = Field(description="Why it ended; empty while it runs.")
    entry_event_id: str | None
    passed_over: str | None = Field(
        default=None,
        description="What `again` said against it: it was let in by hand all the same. Null where it entered as usual.",
    )
    entered_at: datetime
    ended_at: datetime | None


class EnrollmentAnswer(Output):
    """Whether the contact entered."""

    result: Literal["started", "already_running", "refused"]
    reason: EnrollmentRefusal | None = Field(default=None, description="Why it was refused.")
    because: str | None = Field(default=None, description="The same in a sentence.")
    enrollment: EnrollmentView | None = Field(default=None, description="The new one, or the one that runs already.")


class DecisionView(Output):
    """One departure from a step."""

    ordinal: int
    step: str
    verdict: StepVerdict
    result: str
    because: str
    cause_event_id: str | None = Field(description="The event that decided here; null where none did.")
    caused_by: str | None = Field(
        default=None,
        description="The event it goes back to: that which decided here, or the last that decided the way here, or the "
        "entry event. Null where it was entered without one and none has come since.",
    )
    entered_at: datetime
    at: datetime
    next_step: str | None


class Decisions(Output):
    """Every departure from a step so far, in order."""

    items: list[DecisionView]


class ExplanationView(Output):
    """Where an enrollment stands, why it is there, and what comes next."""

    enrollment: EnrollmentView
    live: Explanation | None = Field(
        description="What the running journey says of itself now; null where it has ended or cannot be asked."
    )
    source: Literal["live", "projection"] = Field(
        description="`projection`: only what was last reported to the database is told; `note` says why."
    )
    note: str
    stuck: StuckKind | None = Field(description="Why it counts as stuck, as last reported; GET /v1/stuck lists all.")
    decisions: list[DecisionView]


class CommandRequest(Input):
    """Why somebody steps in; kept in the audit log and shown beside the enrollment."""

    reason: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = Field(
        default="", examples=["The customer called."]
    )


class ResumeRequest(CommandRequest):
    """What becomes of the time that has passed during the pause, and why it ends."""

    timers: Resuming = Field(
        default=Resuming.CATCH_UP,
        description="`catch_up`: waits end when they always would have. `shift`: a wait for a length of time ends "
        "later by the length of the pause. `drop_if_late`: messages whose time has passed are left out, with a reason.",
    )


class RescheduleRequest(CommandRequest):
    """When the running wait shall end instead, and why."""

    at: Instant = Field(description="The wait's new end; one that has passed ends it at once.")


class DecideRequest(CommandRequest):
    """The answer to an approval, and why."""

    answer: Literal["approved", "rejected"]
    step: Key | None = Field(
        default=None, description="The step that is meant: at another one the answer is rejected, for it came too late."
    )


class CommandAnswer(Output):
    """What the command did."""

    action: Literal["pause", "resume", "skip", "retry", "reschedule", "decide"]
    enrollment_id: UUID
    now: Explanation = Field(description="Where the enrollment stands after it.")


class ExitAnswer(Output):
    """The order to end was taken; the journey ends as soon as Temporal is told."""

    action: Literal["exit"] = "exit"
    enrollment_id: UUID
    result: Literal["requested", "already_ended"]
