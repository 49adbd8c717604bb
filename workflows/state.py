"""The one serialisable state of an enrollment's workflow. Continue-as-new carries it over whole; nothing else lives on.

Only opaque ids, step ids and instants: no personal data.
"""

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from journeys.former_names import FormerName
from journeys.migration import Timers, target_of
from journeys.outcomes import JourneyState, StepVerdict
from journeys.plan import Plan


class Met(BaseModel, frozen=True):
    """Which event met a criterion first, and when it occurred (aware UTC)."""

    event_id: str
    at: datetime


class GoalReached(BaseModel, frozen=True):
    """The event that met the goal, by its name and id."""

    event: str
    event_id: str


class Decision(BaseModel, frozen=True):
    """One departure from a step. `ordinal` numbers them within the enrollment, so writing one twice changes nothing."""

    ordinal: int
    step: str
    verdict: StepVerdict
    result: str = ""
    because: str = ""
    cause_event_id: str | None = None
    entered_at: datetime
    at: datetime
    next_step: str | None = None
    version: int | None = Field(default=None, exclude_if=lambda value: value is None)
    """The version the step belongs to; left out where the enrollment was never migrated."""
    to_version: int | None = Field(default=None, exclude_if=lambda value: value is None)
    """Of a migration, the version the next step belongs to."""


class Attention(BaseModel, frozen=True):
    """Why an enrollment was parked: the step, a sentence without personal data, since when."""

    step: str
    reason: str
    since: datetime


class Resolution(BaseModel, frozen=True):
    """What the end of the running wait was looked up from: the events that had moved it, and what is to be said."""

    moved_by: list[str] = []
    because: str = ""


class HeldBack(BaseModel, frozen=True):
    """What a message waits for at its gate, and why."""

    waits_for: str
    because: str


class Migration(BaseModel, frozen=True):
    """Request of the update `migrate`: go over to another version of the journey. `plan` is a `compact_plan`.

    `mapping` names the step to go on at for steps the version does not have. Rejected by another enrollment's run.
    """

    enrollment_id: UUID
    version: int
    plan: dict[str, Any]
    mapping: dict[str, str] = {}
    timers: Timers = Timers.FOLLOW

    @cached_property
    def to(self) -> Plan:
        """The plan, read."""
        return Plan.model_validate(self.plan)

    def reaches(self, step: str, plan: Plan) -> bool:
        """Whether the version has a step for those who stand at this one of `plan`."""
        return target_of(step, plan, self.to, self.mapping) is not None


class Rounds(BaseModel, frozen=True):
    """A `repeat` under way: how many rounds were begun, and when the first was (aware UTC)."""

    since: datetime
    begun: int = 0

    def next(self) -> "Rounds":
        """With one more round."""
        return self.model_copy(update={"begun": self.begun + 1})


class EnrollmentState(BaseModel):
    """Where an enrollment stands. Handlers only append to it; the main loop alone acts on it."""

    at: str | None
    """Node to execute next; None: the plan has ended."""
    since: datetime
    """When that node was reached (workflow time, aware UTC)."""
    entered_at: datetime
    planned_at: datetime | None = None
    """When that node would have been reached had nothing been late (aware UTC); None: when it was."""
    state: JourneyState = JourneyState.RUNNING
    due_at: datetime | None = None
    """End of the running wait. A wait taken up again (continue-as-new, resume) ends then."""
    begun: bool = Field(default=False, exclude_if=lambda begun: not begun)
    """Whether the step's wait ran already as it migrated, where its end is looked up anew."""
    resolution: Resolution | None = None
    """Where `due_at` was looked up: from what."""
    held_back: HeldBack | None = Field(default=None, exclude_if=lambda value: value is None)
    """Where the gate defers the message of this step: why."""
    held_until: datetime | None = Field(default=None, exclude_if=lambda at: at is None)
    """Until when the message of this step was held back, where it has been interrupted since, or has migrated."""
    rescheduled: str = ""
    """Who has moved the end of the running wait and why, for people."""
    paused_at: datetime | None = None
    pause_reason: str = ""
    """Who paused it and why, for people."""
    shifted_by: timedelta | None = Field(default=None, exclude_if=lambda length: length is None)
    """By how much pauses have moved the end of the running wait."""
    dropping_before: datetime | None = Field(default=None, exclude_if=lambda at: at is None)
    """Messages that were planned before this (aware UTC), the end of a pause, are left out."""
    attention: Attention | None = None
    met: dict[str, Met] = Field(default_factory=dict)
    """Criterion id → the first event that met it."""
    goal: GoalReached | None = Field(default=None, exclude_if=lambda goal: goal is None)
    """What has pulled it over to the steps behind the goal: this happens once."""
    seen: list[str] = Field(default_factory=list)
    """Ids of events that met a criterion, newest last, at most 200: a continued run may be sent one again."""
    results: dict[str, str] = Field(default_factory=dict)
    iterations: dict[str, int] = Field(default_factory=dict)
    """How often each step was begun; part of every idempotency key."""
    former: dict[str, list[FormerName]] = Field(default_factory=dict, exclude_if=lambda names: not names)
    """What steps were called before, where moves have renamed them: what they left behind is stored under that name."""
    rounds: dict[str, Rounds] = Field(default_factory=dict)
    """The repeats under way, by step."""
    ordinal: int = 0
    journal: list[Decision] = Field(default_factory=list)
    """Decisions not yet written to PostgreSQL; the next activity takes them along."""
    commands: list[str] = Field(default_factory=list)
    """Accepted and not yet acted on: `skip:<why>`, `retry`, `exit:<reason>`."""
    version: int | None = None
    """The version its decisions belong to, where it was migrated."""
    migration: Migration | None = None
    """Accepted and not yet carried out: it waits for a step that the newer version knows."""
    why: str = ""
    """What brought it to this step, in plain words."""
    zone: str = "UTC"
    """IANA zone for readable times; UTC until a receipt has told the contact's."""
