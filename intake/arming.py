"""Rounds that bring clocks in line with a publication: remove void ones, move them, set those of contacts there are.

Contacts are locked while their clocks are set, so that what intake learns of them meanwhile comes after, and wins.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, select, update

from crm.clocks import ClockRepository
from crm.models.clock import EntryClock
from intake import backfill, broadcasts, dates, silence, walks
from intake.walks import Page, Walk
from journeys.entries import Absence, Broadcast, DateEntry
from journeys.segment_entry import SegmentEntry


async def clear(walk: Walk) -> Page:
    """Remove clocks that were set for another entry than the live one. Those others have locked are void, too."""
    void = _clocks(walk)
    if walk.timed is not None:
        void = void.where(EntryClock.fingerprint != walk.timed.fingerprint)
    contact_ids = (await walk.session.scalars(void.with_for_update(skip_locked=True))).all()
    await walk.session.execute(delete(EntryClock).where(_of(walk, contact_ids)))
    return Page(contact_ids, len(contact_ids))


async def retime(walk: Walk) -> Page | None:
    """Move clocks by the time that the journey names now; look up dates anew. Those that have rung stay silent."""
    timed = walk.timed
    if timed is None or (timed.soonest is None and not isinstance(timed, DateEntry)):
        return None
    running = _clocks(walk).where(EntryClock.due_at.is_not(None), EntryClock.fingerprint == timed.fingerprint)
    contact_ids = (await walk.session.scalars(running.with_for_update())).all()
    due_at = walk.present.now if timed.soonest is None else EntryClock.anchor_at + timed.soonest
    moved = update(EntryClock).where(_of(walk, contact_ids)).values(due_at=due_at)
    await walk.session.execute(moved.execution_options(synchronize_session=False))
    return Page(contact_ids, len(contact_ids))


async def arm(walk: Walk) -> Page | None:
    """Set the clocks of contacts there are already, or the instants of a broadcast; or let members of a segment in."""
    match walk.timed:
        case Absence() as absence:
            return await _arm_for_silence(walk, absence)
        case DateEntry() as entry:
            return await _arm_for_dates(walk, entry)
        case SegmentEntry() as entry:
            return await backfill.let_members_in(walk, entry)
        case Broadcast() as broadcast:
            return broadcasts.announce(walk, broadcast)
        case _:
            return None


async def _arm_for_silence(walk: Walk, absence: Absence) -> Page:
    journey_key, clocks = walk.round.journey_key, ClockRepository(walk.session)
    contact_ids = (await walk.session.scalars(walk.contacts().with_for_update(key_share=True))).all()
    settings = await silence.settings_of(walk.session, journey_key, contact_ids, absence, walk.present.now)
    await clocks.set(settings)
    if absence.also_without:
        await clocks.begin(journey_key, contact_ids, absence, since=None)
    return Page(contact_ids, len(contact_ids) if absence.also_without else len(settings))


async def _arm_for_dates(walk: Walk, entry: DateEntry) -> Page:
    query = walk.contacts().where(dates.has_date(entry)).with_for_update(key_share=True)
    contact_ids = (await walk.session.scalars(query)).all()
    calendar = await dates.Calendar.of(walk.session, contact_ids, entry, walk.present.default_zone)
    settings = dates.settings_of(walk.round.journey_key, contact_ids, calendar, since=walk.round.created_at)
    await ClockRepository(walk.session).set(settings)
    return Page(contact_ids, len(settings))


def _clocks(walk: Walk) -> Select[tuple[UUID]]:
    query = select(EntryClock.contact_id).where(EntryClock.journey_key == walk.round.journey_key)
    if walk.round.cursor is not None:
        query = query.where(EntryClock.contact_id > walk.round.cursor)
    return query.order_by(EntryClock.contact_id).limit(walks.CONTACTS_AT_ONCE)


def _of(walk: Walk, contact_ids: Sequence[UUID]) -> ColumnElement[bool]:
    return (EntryClock.journey_key == walk.round.journey_key) & EntryClock.contact_id.in_(contact_ids)
