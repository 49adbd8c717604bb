"""Enrollments as PostgreSQL knows them, a projection of what runs in Temporal. Made in `intake.enrollment`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import and_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys import plan_of
from crm.models.enrollment import DecisionRecord, Enrollment
from crm.models.journey import JourneyVersion
from journeys.outcomes import ENDED
from kit.errors import NotFound

# One statement: the decisions that are missing, and where the enrollment stands unless something newer is known.
_RECORD = text("""
    WITH added AS (
        INSERT INTO decisions (
            enrollment_id, ordinal, step, verdict, result, because, cause_event_id, entered_at, at, next_step,
            version, to_version
        )
        SELECT e.id, ordinal, d.step, verdict, result, because, cause, entered, at, next_step,
               coalesce(d.version, e.entered_version), to_version
        FROM enrollments e, unnest(
            CAST(:ordinals AS integer[]), CAST(:steps AS text[]), CAST(:verdicts AS text[]), CAST(:results AS text[]),
            CAST(:reasons AS text[]), CAST(:causes AS text[]), CAST(:entered AS timestamptz[]),
            CAST(:left AS timestamptz[]), CAST(:following AS text[]), CAST(:versions AS integer[]),
            CAST(:targets AS integer[])
        ) AS d (ordinal, step, verdict, result, because, cause, entered, at, next_step, version, to_version)
        WHERE e.id = :id ON CONFLICT (enrollment_id, ordinal) DO NOTHING
    )
    UPDATE enrollments e
    SET state = :state, step = :step, since = :since, due_at = :due_at, attention = :attention, outcome = :outcome,
        ended_at = CAST(:ended_at AS timestamptz), version = coalesce(CAST(:version AS integer), e.version),
        moving_to = nullif(e.moving_to, coalesce(CAST(:version AS integer), e.version))
    WHERE e.id = :id AND e.ended_at IS NULL AND (e.state = 'starting' OR e.since <= :since)
      AND NOT EXISTS (SELECT FROM decisions k WHERE k.enrollment_id = e.id AND k.ordinal > :newest)
    RETURNING e.id
""")
_ANY_ORDINAL = 2**31 - 1

# Arrivals are counted where contacts come from, the rest where they are or went: that both agree is a test.
_COUNTS = text("""
    WITH inside AS (SELECT * FROM enrollments WHERE journey_key = :journey AND version = :version),
         entered AS (SELECT * FROM enrollments WHERE journey_key = :journey AND entered_version = :version),
         decided AS (SELECT d.* FROM decisions d JOIN enrollments e ON e.id = d.enrollment_id
                     WHERE e.journey_key = :journey AND :version IN (d.version, d.to_version))
    SELECT CAST(:start AS text) AS step, 'arrivals' AS what, count(*) AS number FROM entered e
    WHERE e.step IS NOT NULL OR EXISTS (SELECT FROM decisions d WHERE d.enrollment_id = e.id)
    UNION ALL
    SELECT next_step, 'arrivals', count(*) FROM decided
    WHERE next_step IS NOT NULL AND coalesce(to_version, version) = :version GROUP BY next_step
    UNION ALL
    SELECT step, verdict, count(*) FROM decided WHERE version = :version GROUP BY step, verdict
    UNION ALL
    SELECT step, CASE state WHEN 'needs_attention' THEN 'failed' ELSE 'waiting' END, count(*) FROM inside
    WHERE ended_at IS NULL AND step IS NOT NULL GROUP BY 1, 2
""")


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

    @property
    def version(self) -> int | None:
        """The version of the journey the step belongs to; None where the enrollment was never migrated."""

    @property
    def to_version(self) -> int | None:
        """Of a migration, the version the step that follows belongs to; None otherwise."""


@dataclass(frozen=True)
class StepCounts:
    """What became of the contacts that reached a step: arrivals = waiting + the sum of the others.

    `failed` are those parked there until somebody looks after them; `waiting` all others that are there now. Those who
    `migrated` went on in another version; there they are among the arrivals.
    """

    arrivals: int = 0
    waiting: int = 0
    passed: int = 0
    refused: int = 0
    skipped: int = 0
    exited: int = 0
    failed: int = 0
    migrated: int = 0


class EnrollmentRepository:
    """Enrollments and their decisions, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, enrollment_id: UUID) -> Enrollment | None:
        """The enrollment, or None."""
        return await self._session.get(Enrollment, enrollment_id, populate_existing=True)

    async def page(
        self,
        *,
        journey: str | None = None,
        contact_id: UUID | None = None,
        state: str | None = None,
        step: str | None = None,
        test: bool | None = None,
        after: UUID | None = None,
        limit: int = 50,
    ) -> list[Enrollment]:
        """Enrollments that match all that is given, in order of their making, beginning behind `after`."""
        query = select(Enrollment).order_by(Enrollment.id).limit(limit)
        for column, wanted in (
            (Enrollment.journey_key, journey),
            (Enrollment.contact_id, contact_id),
            (Enrollment.state, state),
            (Enrollment.step, step),
        ):
            if wanted is not None:
                query = query.where(column == wanted)
        if test is not None:
            query = query.where(Enrollment.tested_draft.is_not(None) if test else Enrollment.tested_draft.is_(None))
        if after is not None:
            query = query.where(Enrollment.id > after)
        return list(await self._session.scalars(query, execution_options={"populate_existing": True}))

    async def running_of(self, contact_id: UUID) -> list[tuple[Enrollment, JourneyVersion]]:
        """The contact's enrollments that have not ended, each with its version, oldest first."""
        same_version = and_(
            JourneyVersion.journey_key == Enrollment.journey_key, JourneyVersion.version == Enrollment.version
        )
        query = (
            select(Enrollment, JourneyVersion)
            .join(JourneyVersion, same_version)
            .where(Enrollment.contact_id == contact_id, Enrollment.ended_at.is_(None))
            .order_by(Enrollment.id)
        )
        rows = await self._session.execute(query, execution_options={"populate_existing": True})
        return [(enrollment, version) for enrollment, version in rows]

    async def last_of(self, journey_key: str, contact_id: UUID, entry_key: str = "") -> Enrollment | None:
        """The newest enrollment of the contact in the journey under this entry key, running or ended; no test run."""
        query = (
            select(Enrollment)
            .where(
                Enrollment.journey_key == journey_key,
                Enrollment.contact_id == contact_id,
                Enrollment.entry_key == entry_key,
                Enrollment.tested_draft.is_(None),
            )
            .order_by(Enrollment.id.desc())
            .limit(1)
        )
        return (await self._session.scalars(query, execution_options={"populate_existing": True})).one_or_none()

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
    ) -> bool:
        """Write where the enrollment stands and the decisions since. Writing the same twice changes nothing.

        Returns whether it stands so now by this report; an end is reported so once.

        A late repetition never moves an enrollment back: one that has ended stays as it ended, and a report older
        than what is known only adds decisions that are missing. Rows read before are not refreshed.

        Raises:
            NotFound: the enrollment does not exist (its contact was erased).
        """
        await self._session.flush()  # what the caller added itself; plain SQL does not do so
        standing = {
            "id": enrollment_id,
            "state": state,
            "step": step,
            "since": since,
            "due_at": due_at,
            "attention": attention,
            "outcome": outcome,
            "ended_at": since if state in ENDED else None,
            "newest": max((decision.ordinal for decision in decisions), default=_ANY_ORDINAL),
            "version": next((decision.to_version for decision in reversed(decisions) if decision.to_version), None),
        }
        moved = await self._session.scalar(_RECORD, {**standing, **_columns(decisions)})
        if moved is None and await self.get(enrollment_id) is None:
            raise NotFound(f"There is no enrollment {enrollment_id}.", remedy="Its contact may have been erased.")
        return moved is not None

    async def meet_goal(self, enrollment_id: UUID, at: datetime) -> bool:
        """Note that an event which occurred then (aware) met the goal; whether it is the first."""
        query = (
            update(Enrollment)
            .where(Enrollment.id == enrollment_id, Enrollment.goal_met_at.is_(None))
            .values(goal_met_at=at)
            .returning(Enrollment.id)
        )
        return await self._session.scalar(query) is not None

    async def decisions(self, enrollment_id: UUID) -> list[DecisionRecord]:
        """The enrollment's decisions, in their order."""
        query = select(DecisionRecord).where(DecisionRecord.enrollment_id == enrollment_id)
        return list(await self._session.scalars(query.order_by(DecisionRecord.ordinal)))

    async def counts(self, journey_key: str, version: int) -> dict[str, StepCounts]:
        """Per step id what became of the contacts that reached it, for every step of the plan, in its order.

        Raises:
            NotFound: there is no such version.
        """
        await self._session.flush()  # as above
        row = await self._session.get(JourneyVersion, (journey_key, version))
        if row is None:
            raise NotFound(f"Journey {journey_key} has no version {version}.", remedy="List its versions first.")
        plan = plan_of(row)
        counters: dict[str, Counter[str]] = {step: Counter() for step in plan.nodes}
        names = {"journey": journey_key, "version": version, "start": plan.start}
        for step, what, number in await self._session.execute(_COUNTS, names):
            counters.setdefault(step, Counter())[what] += number
        return {step: StepCounts(**counter) for step, counter in counters.items()}


def _columns(decisions: Sequence[Departure]) -> Mapping[str, list[Any]]:
    return {
        "ordinals": [decision.ordinal for decision in decisions],
        "steps": [decision.step for decision in decisions],
        "verdicts": [str(decision.verdict) for decision in decisions],
        "results": [decision.result for decision in decisions],
        "reasons": [decision.because for decision in decisions],
        "causes": [decision.cause_event_id for decision in decisions],
        "entered": [decision.entered_at for decision in decisions],
        "left": [decision.at for decision in decisions],
        "following": [decision.next_step for decision in decisions],
        "versions": [decision.version for decision in decisions],
        "targets": [decision.to_version for decision in decisions],
    }
