"""Time and segments: contacts whose membership time alone may change are judged when they are due, new ones soon.

Part of what `intake.clocks` does. Pages are transactions of their own; contacts that others have locked are left to
the next look, and a new one that is locked is judged by whoever holds it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import EventRepository
from crm.models.contact import Contact
from crm.models.segment import SegmentClock, SegmentRecord
from crm.segment_statement import Cause
from crm.segments import NEWCOMERS_SINCE, SegmentRepository
from intake.segments import SWEPT_EVERY, first_id_since
from kit.database import Sessions

CONTACTS_AT_ONCE = 500
_TIME = Cause("as time went by")
_NEW = Cause("as a new contact")

_log = structlog.get_logger(__name__)


async def look_again(sessions: Sessions, now: datetime) -> int:
    """Judge a page of those that are due, and all that are new; returns how many contacts were judged."""
    async with sessions.begin() as session:
        judged = await _judge_due(session, now)
    return judged + await _judge_newcomers(sessions, now)


async def next_look(session: AsyncSession) -> datetime | None:
    """When the next of them is due; None where no segment waits for anything."""
    due: datetime | None = await session.scalar(select(func.min(SegmentClock.due_at)))
    swept: datetime | None = await session.scalar(select(func.min(SegmentRecord.swept_at)))
    moments = [due, swept + SWEPT_EVERY if swept is not None else None]
    return min((moment for moment in moments if moment is not None), default=None)


async def _judge_due(session: AsyncSession, now: datetime) -> int:
    due = select(SegmentClock.segment_key, SegmentClock.contact_id).where(SegmentClock.due_at <= now)
    rows = (await session.execute(due.order_by(SegmentClock.due_at).limit(CONTACTS_AT_ONCE))).all()
    if not rows:
        return 0
    locked = await _lock(session, {contact_id for _, contact_id in rows})
    concerned = defaultdict[str, set[UUID]](set)
    for key, contact_id in rows:
        concerned[key].update(locked & {contact_id})
    await judge_anew(session, concerned, now, _TIME)
    return len(locked)


async def _judge_newcomers(sessions: Sessions, now: datetime) -> int:
    """The contacts made since everybody was judged last, and a little before."""
    async with sessions() as session:
        stale = {
            live.key: live.swept_at
            for live in await SegmentRepository(session).live()
            if live.swept_at <= now - SWEPT_EVERY
        }
    if not stale:
        return 0
    count, after = 0, first_id_since(min(stale.values()) - NEWCOMERS_SINCE)
    while True:
        async with sessions.begin() as session:
            newcomers = select(Contact.id).where(Contact.id > after).order_by(Contact.id).limit(CONTACTS_AT_ONCE)
            page = (await session.scalars(newcomers)).all()
            locked = await _lock(session, page)
            await judge_anew(session, dict.fromkeys(stale, locked), now, _NEW)
            count += len(locked)
            if len(page) < CONTACTS_AT_ONCE:
                for key in stale:
                    await SegmentRepository(session).swept(key, now)
                return count
        after = page[-1]


async def _lock(session: AsyncSession, contact_ids: Collection[UUID]) -> set[UUID]:
    """Lock those of the contacts that nobody else has locked."""
    query = select(Contact.id).where(Contact.id.in_(contact_ids)).order_by(Contact.id)
    return set(await session.scalars(query.with_for_update(key_share=True, skip_locked=True)))


async def judge_anew(session: AsyncSession, concerned: Mapping[str, set[UUID]], now: datetime, cause: Cause) -> None:
    """Set membership of these contacts right, by segment, at `now` (aware), and tell of it. The caller holds them."""
    segments = SegmentRepository(session)
    await segments.hold()
    changes = []
    for live in await segments.live():
        if contact_ids := concerned.get(live.key):
            changes += await segments.judge(live, now, dict.fromkeys(sorted(contact_ids), cause))
    await EventRepository(session).accept([change.event(now, f"{now:%Y%m%dT%H%M%S%f}") for change in changes])
    if changes:
        _log.info("segments_followed_time", changes=len(changes))


async def judge_quietly(session: AsyncSession, concerned: Mapping[str, set[UUID]], now: datetime, cause: Cause) -> None:
    """As `judge_anew`, but nobody is told; so segments that ask for those that have changed are judged here, too."""
    segments = SegmentRepository(session)
    await segments.hold()
    changed = defaultdict[str, set[UUID]](set)
    for live in await segments.live():
        asked_for = (changed[key] for key in live.segment.condition.needs().segments)
        if contact_ids := concerned.get(live.key, set()).union(*asked_for):
            changes = await segments.judge(live, now, dict.fromkeys(sorted(contact_ids), cause))
            changed[live.key] = {change.contact_id for change in changes}
