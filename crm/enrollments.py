"""Enrollments as PostgreSQL knows them, a projection of what runs in Temporal. Made in `intake.enrollment`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.enrollment import DecisionRecord, Enrollment
from crm.models.journey import JourneyVersion


class Departure(Protocol):
    """One departure from a step, as `workflows.state.Decision` has it; this package does not know workflows."""

    @property
    def ordinal(self) -> int:
        """Its number within the enrollment."""

    @property
    def step(self) -> str:
        """The step that was left."""

    @property
    def verdict(self) -> str:
        """How it was left."""

    @property
    def result(self) -> str:
        """The step's result."""

    @property
    def because(self) -> str:
        """Why, in a sentence."""

    @property
    def cause_event_id(self) -> str | None:
        """The event that caused it."""

    @property
    def entered_at(self) -> datetime:
        """When the step was reached."""

    @property
    def at(self) -> datetime:
        """When it was left."""

    @property
    def next_step(self) -> str | None:
        """The step that follows; None at the end."""


@dataclass(frozen=True)
class StepCounts:
    """What became of the contacts that reached a step: arrivals = waiting + the sum of the others."""

    arrivals: int = 0
    waiting: int = 0
    passed: int = 0
    refused: int = 0
    skipped: int = 0
    exited: int = 0
    failed: int = 0


class EnrollmentRepository:
    """Enrollments and their decisions, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, enrollment_id: UUID) -> Enrollment | None:
        """The enrollment, or None."""
        raise NotImplementedError

    async def page(
        self,
        *,
        journey: str | None = None,
        contact_id: UUID | None = None,
        state: str | None = None,
        step: str | None = None,
        after: UUID | None = None,
        limit: int = 50,
    ) -> list[Enrollment]:
        """Enrollments that match all that is given, in order of their making, beginning behind `after`."""
        raise NotImplementedError

    async def running_of(self, contact_id: UUID) -> list[tuple[Enrollment, JourneyVersion]]:
        """The contact's enrollments that have not ended, each with its version, oldest first."""
        raise NotImplementedError

    async def last_of(self, journey_key: str, contact_id: UUID, entry_key: str = "") -> Enrollment | None:
        """The newest enrollment of the contact in the journey under this entry key, running or ended."""
        raise NotImplementedError

    async def record(
        self,
        enrollment_id: UUID,
        *,
        state: str,
        step: str | None,
        since: datetime,
        due_at: datetime | None = None,
        attention: str | None = None,
        outcome: str = "",
        decisions: Sequence[Departure] = (),
    ) -> None:
        """Write where the enrollment stands and the decisions since. Writing the same twice changes nothing.

        A late repetition never moves an enrollment back: one that has ended stays as it ended, and a report older
        than what is known only adds decisions that are missing.

        Raises:
            NotFound: the enrollment does not exist (its contact was erased).
        """
        raise NotImplementedError

    async def decisions(self, enrollment_id: UUID) -> list[DecisionRecord]:
        """The enrollment's decisions, in their order."""
        raise NotImplementedError

    async def counts(self, journey_key: str, version: int) -> dict[str, StepCounts]:
        """Per step id what became of the contacts that reached it, for every step of the plan."""
        raise NotImplementedError
