"""What the relay has to do: outbox entries claimed per enrollment, and what became of them.

An enrollment's oldest entry is its token: whoever has it locked may carry out all of them, in their order. Talking to
Temporal is in `intake.relay`.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyVersion
from intake.models import OutboxEntry, OutboxKind

ENTRIES_AT_ONCE = 2_000


@dataclass(frozen=True)
class Errand:
    """An enrollment, its claimed entries, oldest first, and the versions to start or go over to, by number."""

    enrollment: Enrollment
    entries: Sequence[OutboxEntry]
    versions: Mapping[int, JourneyVersion]


@dataclass(frozen=True)
class Hitch:
    """An entry that could not be carried out now, why, and how long to leave it and those behind it."""

    entry_id: int
    reason: str
    pause: timedelta


def _is_oldest() -> ColumnElement[bool]:
    earlier = aliased(OutboxEntry)
    return ~exists().where(earlier.enrollment_id == OutboxEntry.enrollment_id, earlier.id < OutboxEntry.id)


async def claim_errands(session: AsyncSession, *, enrollments: int, only_due: bool = True) -> list[Errand]:
    """Lock errands of at most so many enrollments, the oldest first; those others have locked are left out."""
    oldest = select(OutboxEntry.enrollment_id).where(_is_oldest()).order_by(OutboxEntry.id).limit(enrollments)
    if only_due:
        oldest = oldest.where(OutboxEntry.retry_at <= func.now())
    claimed = (await session.scalars(oldest.with_for_update(of=OutboxEntry, skip_locked=True))).all()
    if not claimed:
        return []
    entries = await _entries(session, claimed)
    found = await session.scalars(select(Enrollment).where(Enrollment.id.in_(entries)))
    rows = {enrollment.id: enrollment for enrollment in found}
    needed = {key: _needed(rows[key], own) for key, own in entries.items()}
    versions = await _versions(session, {(rows[key].journey_key, number) for key in needed for number in needed[key]})
    return [
        Errand(rows[key], own, {number: versions[rows[key].journey_key, number] for number in needed[key]})
        for key, own in entries.items()
    ]


def _needed(enrollment: Enrollment, entries: Collection[OutboxEntry]) -> set[int]:
    """The versions without which the entries cannot be carried."""
    targets = {entry.payload["version"] for entry in entries if entry.kind == OutboxKind.MOVE}
    return targets | {enrollment.version for entry in entries if entry.kind == OutboxKind.START}


async def _entries(session: AsyncSession, enrollment_ids: Collection[UUID]) -> dict[UUID, list[OutboxEntry]]:
    query = select(OutboxEntry).where(OutboxEntry.enrollment_id.in_(enrollment_ids)).order_by(OutboxEntry.id)
    entries = defaultdict(list)
    for entry in await session.scalars(query.limit(ENTRIES_AT_ONCE)):
        entries[entry.enrollment_id].append(entry)
    return entries


async def _versions(session: AsyncSession, keys: Collection[tuple[str, int]]) -> dict[tuple[str, int], JourneyVersion]:
    if not keys:
        return {}
    query = select(JourneyVersion).where(tuple_(JourneyVersion.journey_key, JourneyVersion.version).in_(list(keys)))
    return {(version.journey_key, version.version): version for version in await session.scalars(query)}


async def settle(session: AsyncSession, done: Sequence[int], hitches: Sequence[Hitch]) -> None:
    """Remove entries that were carried out, and note when to try the others again."""
    if done:
        await session.execute(delete(OutboxEntry).where(OutboxEntry.id.in_(done)))
    for hitch in hitches:
        await session.execute(
            update(OutboxEntry)
            .where(OutboxEntry.id == hitch.entry_id)
            .values(
                attempts=OutboxEntry.attempts + 1,
                retry_at=func.clock_timestamp() + hitch.pause,
                last_error=hitch.reason,
            )
            .execution_options(synchronize_session=False)
        )


async def seconds_until_due(session: AsyncSession) -> float | None:
    """How long until the next entry is to be tried, negative where it is overdue; None where there is none."""
    due = func.extract("epoch", func.min(OutboxEntry.retry_at) - func.clock_timestamp())
    seconds = await session.scalar(select(due).where(_is_oldest()))
    return None if seconds is None else float(seconds)
