"""Rounds: walks through the contacts on behalf of a journey's entry, a page per transaction, so a killed walk goes on.

A round is ordered in the transaction that publishes a journey (`crm.clocks`). The rounds of one journey are made in
their order, those of different ones side by side.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Select, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from crm.clocks import ClockRepository
from crm.journeys import JourneyRepository, definition_of
from crm.models.clock import EntryClock, EntryRound, RoundKind
from crm.models.contact import Contact
from intake import dates, silence
from intake.failures import is_outage
from journeys.entries import Absence, DateEntry, TimedEntry
from kit.database import Sessions

CONTACTS_AT_ONCE = 500
DONE = "done"
NOT_LIVE = "the journey has no such entry any more"
_PUT_OFF = timedelta(minutes=5)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Page:
    """What a page came to: the contacts looked at, in their order, and for how many of them something was done."""

    contact_ids: Sequence[UUID]
    done: int


@dataclass(frozen=True)
class Present:
    """The present moment (aware), and the IANA zone of contacts without one."""

    now: datetime
    default_zone: str


@dataclass(frozen=True)
class LiveEntry:
    """What the time brings about by the live version of a journey."""

    version: int
    entry: TimedEntry


@dataclass(frozen=True)
class Walk:
    """A round at work, on behalf of the entry that is live now."""

    session: AsyncSession
    round: EntryRound
    entry: TimedEntry | None
    present: Present


async def live_entry(session: AsyncSession, journey_key: str) -> LiveEntry | None:
    """The journey's live entry; None where time brings about nothing, or no version is live."""
    version = await JourneyRepository(session).live(journey_key)
    entry = definition_of(version).entry.timed if version is not None else None
    return LiveEntry(version.version, entry) if version is not None and entry is not None else None


async def walk_on(sessions: Sessions, present: Present) -> int:
    """Make the next page of a round that is due; returns how many contacts it looked at, 1 at least for a last page.

    0 where no round is due, or others have locked those that are.
    """
    round_id = None
    try:
        async with sessions.begin() as session:
            chosen = await session.scalar(_next_round(present.now))
            if chosen is None:
                return 0
            round_id = chosen.id
            live = await live_entry(session, chosen.journey_key)
            return await _walk(Walk(session, chosen, live.entry if live is not None else None, present))
    except Exception as error:
        if is_outage(error) or round_id is None:
            raise
        _log.error("round_put_off", round=round_id, reason=type(error).__name__)
        async with sessions.begin() as session:
            put_off = update(EntryRound).where(EntryRound.id == round_id).values(due_at=present.now + _PUT_OFF)
            await session.execute(put_off)
        return 1


async def _walk(walk: Walk) -> int:
    chosen = walk.round
    chosen.begun_at = chosen.begun_at or walk.present.now
    page = await _PAGES[RoundKind(chosen.kind)](walk)
    if page is not None and page.contact_ids:
        chosen.cursor = page.contact_ids[-1]
        chosen.contacts += len(page.contact_ids)
        chosen.done += page.done
    if page is None or len(page.contact_ids) < CONTACTS_AT_ONCE:
        chosen.finished_at, chosen.outcome = walk.present.now, NOT_LIVE if page is None else DONE
        _log.info(
            "round_finished",
            journey=chosen.journey_key,
            kind=chosen.kind,
            contacts=chosen.contacts,
            done=chosen.done,
            outcome=chosen.outcome,
        )
    return max(len(page.contact_ids) if page is not None else 0, 1)


def _next_round(now: datetime) -> Select[tuple[EntryRound]]:
    earlier = aliased(EntryRound)
    before = exists().where(
        earlier.journey_key == EntryRound.journey_key,
        earlier.id < EntryRound.id,
        earlier.finished_at.is_(None),
        earlier.due_at <= now,
    )
    query = select(EntryRound).where(EntryRound.finished_at.is_(None), EntryRound.due_at <= now, ~before)
    return query.order_by(EntryRound.due_at, EntryRound.id).limit(1).with_for_update(of=EntryRound, skip_locked=True)


async def _clear(walk: Walk) -> Page:
    """Remove clocks that were set for another entry than the live one. Those others have locked are void, too."""
    kept = walk.entry.fingerprint if walk.entry is not None else None
    void = _clocks(walk).where(EntryClock.fingerprint != kept) if kept is not None else _clocks(walk)
    contact_ids = (await walk.session.scalars(void.with_for_update(skip_locked=True))).all()
    await walk.session.execute(delete(EntryClock).where(_of(walk, contact_ids)))
    return Page(contact_ids, len(contact_ids))


async def _retime(walk: Walk) -> Page | None:
    """Move clocks by the time that the journey names now. Those that have rung stay silent."""
    absence = walk.entry
    if not isinstance(absence, Absence):
        return None
    running = _clocks(walk).where(EntryClock.due_at.is_not(None), EntryClock.fingerprint == absence.fingerprint)
    contact_ids = (await walk.session.scalars(running.with_for_update())).all()
    moved = update(EntryClock).where(_of(walk, contact_ids)).values(due_at=EntryClock.anchor_at + absence.for_)
    await walk.session.execute(moved.execution_options(synchronize_session=False))
    return Page(contact_ids, len(contact_ids))


async def _arm(walk: Walk) -> Page | None:
    """Set the clocks of contacts there are already, by what is known of them.

    They are locked, so that what intake learns of them meanwhile comes after this, and wins.
    """
    match walk.entry:
        case Absence() as absence:
            return await _arm_for_silence(walk, absence)
        case DateEntry() as entry:
            return await _arm_for_dates(walk, entry)
        case _:
            return None


async def _arm_for_silence(walk: Walk, absence: Absence) -> Page:
    journey_key, clocks = walk.round.journey_key, ClockRepository(walk.session)
    contact_ids = (await walk.session.scalars(_contacts(walk).with_for_update(key_share=True))).all()
    settings = await silence.settings_of(walk.session, journey_key, contact_ids, absence, walk.present.now)
    await clocks.set(settings)
    if absence.also_without:
        await clocks.begin(journey_key, contact_ids, absence, since=None)
    return Page(contact_ids, len(contact_ids) if absence.also_without else len(settings))


async def _arm_for_dates(walk: Walk, entry: DateEntry) -> Page:
    query = _contacts(walk).where(dates.has_date(entry)).with_for_update(key_share=True)
    contact_ids = (await walk.session.scalars(query)).all()
    calendar = await dates.Calendar.of(walk.session, contact_ids, entry, walk.present.default_zone)
    settings = dates.settings_of(walk.round.journey_key, contact_ids, calendar, since=walk.round.created_at)
    await ClockRepository(walk.session).set(settings)
    return Page(contact_ids, len(settings))


def _clocks(walk: Walk) -> Select[tuple[UUID]]:
    query = select(EntryClock.contact_id).where(EntryClock.journey_key == walk.round.journey_key)
    if walk.round.cursor is not None:
        query = query.where(EntryClock.contact_id > walk.round.cursor)
    return query.order_by(EntryClock.contact_id).limit(CONTACTS_AT_ONCE)


def _contacts(walk: Walk) -> Select[tuple[UUID]]:
    query = select(Contact.id).order_by(Contact.id).limit(CONTACTS_AT_ONCE)
    return query.where(Contact.id > walk.round.cursor) if walk.round.cursor is not None else query


def _of(walk: Walk, contact_ids: Sequence[UUID]) -> ColumnElement[bool]:
    return (EntryClock.journey_key == walk.round.journey_key) & EntryClock.contact_id.in_(contact_ids)


_PAGES: Mapping[RoundKind, Callable[[Walk], Awaitable[Page | None]]] = {
    RoundKind.CLEAR: _clear,
    RoundKind.RETIME: _retime,
    RoundKind.ARM: _arm,
}
"""One page of each kind; None where the live entry has nothing to make the round for."""
