"""Claiming events: contacts whose locks are free, and the oldest events that wait for each of them.

The lock of the contact is what keeps its events in order with any number of consumers. Nobody waits for one here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.contact import Contact
from crm.models.event import Event, QueuedEvent

CONTACTS_AT_ONCE = 100
EVENTS_AT_ONCE = 2_000
"""Events of a transaction at most: it stays short, and what a crash has to repeat stays little."""

# Every scan goes along the oldest entries and ends after so many: the planner's idea of a queue is that of the moment
# it was last analysed, empty or full, and none of its choices may then read the whole of it.
# FOR NO KEY UPDATE: it does not stand in the way of rows that only refer to the contact.
_CLAIM = text("""
    WITH oldest AS MATERIALIZED (
        SELECT contact_id, sequence FROM intake_queue ORDER BY sequence LIMIT :window
    ), waiting AS MATERIALIZED (
        SELECT contact_id FROM oldest GROUP BY contact_id ORDER BY min(sequence)
    )
    SELECT claimed.id, (SELECT max(sequence) FROM oldest) FROM waiting CROSS JOIN LATERAL (
        SELECT id FROM contacts WHERE id = waiting.contact_id FOR NO KEY UPDATE SKIP LOCKED
    ) AS claimed
    LIMIT :contacts
""")
_LONGER_THAN = text("SELECT EXISTS (SELECT FROM intake_queue ORDER BY sequence OFFSET :window LIMIT 1)")
_DROP_ORPHANS = text("""
    DELETE FROM intake_queue WHERE NOT EXISTS (SELECT FROM contacts WHERE contacts.id = intake_queue.contact_id)
    RETURNING sequence
""")


@dataclass(frozen=True)
class Claim:
    """Contacts whose locks are held, and the place in the log up to which their events are to be taken."""

    contact_ids: tuple[UUID, ...] = ()
    up_to: int = 0


async def claim_contacts(session: AsyncSession) -> Claim:
    """Lock contacts with waiting events, those who wait longest first. Contacts others have locked are left out."""
    window = EVENTS_AT_ONCE
    while True:
        rows = (await session.execute(_CLAIM, {"window": window, "contacts": CONTACTS_AT_ONCE})).all()
        if rows:
            return Claim(tuple(contact_id for contact_id, _ in rows), rows[0][1])
        # The oldest events may all belong to contacts that are being worked on, with others waiting behind them.
        if not await session.scalar(_LONGER_THAN, {"window": window}):
            return Claim()
        window *= 10


async def claim_contact(session: AsyncSession, contact_id: UUID) -> bool:
    """Lock this contact; False where another has it locked, or it is no more."""
    lock = select(Contact.id).where(Contact.id == contact_id)
    return await session.scalar(lock.with_for_update(key_share=True, skip_locked=True)) is not None


async def waiting_events(session: AsyncSession, claim: Claim, *, limit: int = EVENTS_AT_ONCE) -> Sequence[Event]:
    """The oldest waiting events of the claimed contacts, in the order of the log.

    Reading after the locks were taken, not with them, shows what the holders before have committed.
    """
    same = and_(Event.sequence == QueuedEvent.sequence, Event.received_at == QueuedEvent.received_at)
    query = select(Event).join(QueuedEvent, same).where(QueuedEvent.contact_id.in_(claim.contact_ids))
    query = query.where(QueuedEvent.sequence <= claim.up_to).order_by(QueuedEvent.sequence).limit(limit)
    return (await session.scalars(query)).all()


async def take_out(session: AsyncSession, events: Sequence[Event]) -> None:
    """Take events out of the queue: their effects are in this transaction."""
    await session.execute(delete(QueuedEvent).where(QueuedEvent.sequence.in_([event.sequence for event in events])))


async def is_anything_waiting(session: AsyncSession) -> bool:
    """Whether an event waits, for whatever reason."""
    return bool(await session.scalar(_LONGER_THAN, {"window": 0}))


async def drop_orphans(session: AsyncSession) -> int:
    """Take events of erased contacts out of the queue; returns how many."""
    return len((await session.execute(_DROP_ORPHANS)).all())
