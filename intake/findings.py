"""The table of what was found stuck: each finding is made once, by one process, and goes when its object moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, case, delete, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.enrollment import Enrollment
from intake.halts import Halt
from intake.models import StuckFinding, StuckWatch
from intake.stuck import Search, Stuck, StuckKind, not_noticed, still_stuck
from journeys.outcomes import JourneyState
from workflows.inspection import Inspection, Whereabouts

NOTICED_AT_ONCE = 500
"""New findings of one look at most; the others follow a look later."""
CHECKED_AT_ONCE = 100
CHECK_AGAIN_AFTER = timedelta(minutes=10)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Look:
    """What one process has claimed to do now. `heard_at`: when Temporal answered last. Both are aware."""

    now: datetime
    heard_at: datetime


async def claim_look(session: AsyncSession, now: datetime, *, every: timedelta) -> Look | None:
    """The next look, for whoever asks first; None where one was begun less than `every` ago."""
    begun = insert(StuckWatch).values(id=1, looked_at=now, closed_seen_until=now)
    begun = begun.on_conflict_do_update(
        index_elements=["id"], set_={"looked_at": now}, where=StuckWatch.looked_at <= now - every
    )
    seen_until = await session.scalar(begun.returning(StuckWatch.closed_seen_until))
    return None if seen_until is None else Look(now, seen_until)


async def closed_seen(session: AsyncSession, until: datetime) -> None:
    """All that Temporal has ended from outside before this (aware) has been seen to."""
    await session.execute(update(StuckWatch).values(closed_seen_until=until))


async def note_stuck(session: AsyncSession, search: Search) -> list[Stuck]:
    """Make findings of those who are stuck and of whom there is none; each is logged once. Returns the new ones."""
    new = await not_noticed(session, search, limit=NOTICED_AT_ONCE)
    for one in new:
        values = {"kind": one.kind.value, "since": one.since, "noticed_at": search.now}
        made = insert(StuckFinding).values(subject=str(one.enrollment_id), enrollment_id=one.enrollment_id, **values)
        cleared = {**values, "detail": "", "checked_at": None, "told_at": None}
        await session.execute(made.on_conflict_do_update(index_elements=["subject"], set_=cleared))
        _log.warning(
            "enrollment_stuck",
            enrollment=str(one.enrollment_id),
            journey=one.journey_key,
            step=one.step,
            kind=one.kind.value,
            since=one.since.isoformat(),
        )
    return new


async def note_halts(session: AsyncSession, halts: Sequence[Halt], now: datetime) -> None:
    """Make findings of what does not work, each logged once, and drop those of what works again."""
    for halt in halts:
        values = {"since": halt.since or now, "detail": str(halt.count)}
        made = insert(StuckFinding).values(subject=halt.kind.value, kind=halt.kind.value, noticed_at=now, **values)
        known = await session.scalar(select(StuckFinding.subject).where(StuckFinding.subject == halt.kind.value))
        await session.execute(made.on_conflict_do_update(index_elements=["subject"], set_={"detail": values["detail"]}))
        if known is None:
            _log.warning("installation_stuck", kind=halt.kind.value, count=halt.count, remedy=halt.sentence)
    kinds = sorted(halt.kind for halt in halts)
    over = delete(StuckFinding).where(StuckFinding.enrollment_id.is_(None), StuckFinding.subject.not_in(kinds))
    for kind in await session.scalars(over.returning(StuckFinding.kind)):
        _log.info("installation_works_again", kind=kind)


async def drop_moved(session: AsyncSession, search: Search) -> int:
    """Drop the findings of those who have moved or ended; returns how many that were."""
    moved = delete(StuckFinding).where(StuckFinding.enrollment_id.is_not(None), ~still_stuck(search))
    dropped = (await session.scalars(moved.returning(StuckFinding.subject))).all()
    if dropped:
        _log.info("enrollments_moved_again", count=len(dropped))
    return len(dropped)


@dataclass(frozen=True)
class Suspect:
    """An enrollment that Temporal is to be asked about. `begun`: whether anything was ever heard of it."""

    enrollment_id: UUID
    workflow_id: str
    begun: bool = True


async def to_be_checked(session: AsyncSession, now: datetime) -> list[Suspect]:
    """Whom Temporal is to be asked about now: those not asked for longest."""
    query = (
        select(Enrollment.id, Enrollment.workflow_id, Enrollment.state != JourneyState.STARTING)
        .join(StuckFinding, StuckFinding.enrollment_id == Enrollment.id)
        .where(
            Enrollment.ended_at.is_(None),
            or_(StuckFinding.checked_at.is_(None), StuckFinding.checked_at < now - CHECK_AGAIN_AFTER),
        )
        .order_by(StuckFinding.checked_at.nulls_first(), StuckFinding.subject)
        .limit(CHECKED_AT_ONCE)
    )
    return [Suspect(*row) for row in await session.execute(query)]


async def note_checked(
    session: AsyncSession, enrollment_id: UUID, found: Inspection, now: datetime, *, lost: bool
) -> None:
    """Keep what Temporal has said of an enrollment. `lost`: it cannot go on, for there is no workflow to go on."""
    kind: ColumnElement[str] = StuckFinding.kind.expression
    if lost:
        kind = literal(StuckKind.WITHOUT_WORKFLOW.value)
    elif found.whereabouts is Whereabouts.RUNS:
        kind = case((kind == StuckKind.WITHOUT_WORKFLOW, StuckKind.NEEDS_ATTENTION.value), else_=kind)
    values = {"checked_at": now, "detail": found.detail, "kind": kind}
    await session.execute(
        update(StuckFinding)
        .where(StuckFinding.enrollment_id == enrollment_id)
        .values(values)
        .execution_options(synchronize_session=False)
    )
