"""Enrollments whose workflow is gone: what Temporal says of them is written into the projection, so they can end.

Ended from outside: the enrollment ends as `terminated`. Ended by itself: as it says. Never begun: started anew. Begun
and unknown to Temporal: it needs attention, since nobody knows how far it came (ADR 0023).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import structlog
from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.access import AuditRepository
from crm.ends import tell_end
from crm.enrollments import EnrollmentRepository
from crm.models.enrollment import DecisionRecord, Enrollment
from crm.tasks import TaskRepository
from intake.models import OutboxEntry, OutboxKind
from intake.outbox import put_start
from journeys.outcomes import JourneyState, StepVerdict
from workflows.inspection import Inspection, Whereabouts
from workflows.state import Decision

ACTOR = "watch"
"""Who has done it, in the audit log."""
UNKNOWN = "Temporal does not know its workflow, and it had begun: it cannot go on, and how far it came is not certain."

_log = structlog.get_logger(__name__)


class Repair(StrEnum):
    """What was done about an enrollment whose workflow is gone."""

    NOTHING = "nothing"
    ENDED = "ended"
    STARTED_ANEW = "started_anew"
    LOST = "lost"
    """It cannot go on; somebody has to end it."""


@dataclass(frozen=True)
class Ending:
    """How an enrollment has ended, when (aware), and why, in words without personal data."""

    state: JourneyState
    at: datetime
    because: str


async def repair(session: AsyncSession, enrollment_id: UUID, found: Inspection, now: datetime) -> Repair:
    """Do what follows from where the workflow is. Doing so again changes nothing. `now` is aware."""
    enrollment = await _open(session, enrollment_id)
    if enrollment is None or found.whereabouts is Whereabouts.RUNS:
        return Repair.NOTHING
    if found.whereabouts is Whereabouts.CLOSED:
        ending = Ending(JourneyState.TERMINATED, found.closed_at or now, found.detail)
        return await _end(session, enrollment, ending, by=ACTOR)
    if found.whereabouts is Whereabouts.COMPLETED and found.outcome is not None:
        ending = Ending(found.outcome.state, found.closed_at or now, found.outcome.reason)
        return await _end(session, enrollment, ending, by=ACTOR)
    if await _never_begun(session, enrollment):
        return await _start_anew(session, enrollment)
    return await _mark(session, enrollment)


@dataclass(frozen=True)
class Left:
    """An enrollment that was to leave, and whose workflow Temporal does not know: there is nobody to tell."""

    enrollment_id: UUID
    because: str
    by: str = "relay"


async def end_left(session: AsyncSession, left: Sequence[Left], now: datetime) -> None:
    """End those who were to leave and are open still; who has ended stays as it is. `now` is aware.

    A workflow writes its end before it ends, so what is open here will never be ended by one.
    """
    for one in sorted(left, key=lambda one: one.enrollment_id):
        enrollment = await _open(session, one.enrollment_id)
        if enrollment is not None:
            await _end(session, enrollment, Ending(JourneyState.TERMINATED, now, one.because), by=one.by)


async def _open(session: AsyncSession, enrollment_id: UUID) -> Enrollment | None:
    """The enrollment, locked, unless it has ended or is no more."""
    query = select(Enrollment).where(Enrollment.id == enrollment_id, Enrollment.ended_at.is_(None))
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    found: Enrollment | None = await session.scalar(locked)
    return found


async def _end(session: AsyncSession, enrollment: Enrollment, ending: Ending, *, by: str) -> Repair:
    """Write the end as the workflow would have: the last decision, open tasks, the event, and who has done it."""
    # Whoever moves the time of workflows has them stand at steps in the future of this clock.
    at, step = max(ending.at, enrollment.since), enrollment.step
    left = [] if step is None else [await _last_decision(session, enrollment, step, ending, at)]
    stands = await EnrollmentRepository(session).record(
        enrollment.id, state=ending.state, step=None, since=at, outcome=ending.because, decisions=left
    )
    await TaskRepository(session).cancel_left(enrollment.id, at)
    if stands:
        await tell_end(session, enrollment.id, ending.state, at=at, step=step)
    await _note(session, enrollment, f"enrollment.{ending.state}", because=ending.because, by=by)
    return Repair.ENDED


async def _last_decision(
    session: AsyncSession, enrollment: Enrollment, step: str, ending: Ending, at: datetime
) -> Decision:
    """The departure from the step at which it stood when it was last heard of."""
    newest = select(func.max(DecisionRecord.ordinal)).where(DecisionRecord.enrollment_id == enrollment.id)
    ordinal = await session.scalar(newest)
    return Decision(
        ordinal=0 if ordinal is None else ordinal + 1,
        step=step,
        verdict=StepVerdict.EXITED,
        because=ending.because,
        entered_at=enrollment.since,
        at=at,
        next_step=None,
        version=enrollment.version,
    )


async def _never_begun(session: AsyncSession, enrollment: Enrollment) -> bool:
    """Whether nothing was ever heard of it: whatever it might have done would have been written with the doing."""
    decided = select(exists().where(DecisionRecord.enrollment_id == enrollment.id))
    return enrollment.state == JourneyState.STARTING and not await session.scalar(decided)


async def _start_anew(session: AsyncSession, enrollment: Enrollment) -> Repair:
    ordered = exists().where(OutboxEntry.enrollment_id == enrollment.id, OutboxEntry.kind == OutboxKind.START)
    if await session.scalar(select(ordered)):
        return Repair.NOTHING
    put_start(session, enrollment.id)
    await _note(session, enrollment, "enrollment.start", because="its start was lost", by=ACTOR)
    return Repair.STARTED_ANEW


async def _mark(session: AsyncSession, enrollment: Enrollment) -> Repair:
    if enrollment.state == JourneyState.NEEDS_ATTENTION and enrollment.attention == UNKNOWN:
        return Repair.LOST
    await EnrollmentRepository(session).record(
        enrollment.id,
        state=JourneyState.NEEDS_ATTENTION,
        step=enrollment.step,
        since=enrollment.since,
        attention=UNKNOWN,
    )
    await _note(session, enrollment, "enrollment.lost", because=UNKNOWN, by=ACTOR)
    return Repair.LOST


async def _note(session: AsyncSession, enrollment: Enrollment, action: str, *, because: str, by: str) -> None:
    await AuditRepository(session).record(by, action, f"enrollment:{enrollment.id}", {"reason": because})
    _log.warning(
        "enrollment_repaired",
        enrollment=str(enrollment.id),
        journey=enrollment.journey_key,
        action=action,
    )
