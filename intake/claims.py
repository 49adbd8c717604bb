"""Claiming events: contacts whose locks are free, and the oldest events that wait for each of them.

The lock of the contact is what keeps its events in order with any number of consumers. Nobody waits for one here.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, delete, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.contact import Contact
from crm.models.event import Event, QueuedEvent

CONTACTS_AT_ONCE = 100
EVENTS_AT_ONCE = 2_000
"""Events of a transaction, about: it stays short, and what a crash has to repeat stays little."""
EVENTS_OF_A_CONTACT = 200
_WINDOW = 2_000

# FOR NO KEY UPDATE: it does not stand in the way of rows that only refer to the contact.
_CLAIM = text("""
    WITH oldest AS MATERIALIZED (
        SELECT contact_id, sequence FROM intake_queue ORDER BY sequence LIMIT :window
    ), waiting AS MATERIALIZED (
        SELECT contact_id FROM oldest GROUP BY contact_id ORDER BY min(sequence)
    )
    SELECT claimed.id FROM waiting CROSS JOIN LATERAL (
        SELECT id FROM contacts WHERE id = waiting.contact_id FOR NO KEY UPDATE SKIP LOCKED
    ) AS claimed
    LIMIT :contacts
""")
_LONGER_THAN = text("SELECT EXISTS (SELECT FROM intake_queue ORDER BY sequence OFFSET :window LIMIT 1)")
_DROP_ORPHANS = text("""
    DELETE FROM intake_queue WHERE NOT EXISTS (SELECT FROM contacts WHERE contacts.id = intake_queue.contact_id)
    RETURNING sequence
""")


async def claim_contacts(session: AsyncSession) -> list[UUID]:
    """Lock contacts with waiting events, those who wait longest first. Contacts others have locked are left out."""
    window = _WINDOW
    while True:
        claimed = (await session.scalars(_CLAIM, {"window": window, "contacts": CONTACTS_AT_ONCE})).all()
        # The oldest events may all belong to contacts that are being worked on, with others waiting behind them.
        if claimed or not await session.scalar(_LONGER_THAN, {"window": window}):
            return list(claimed)
        window *= 10


def events_of_each(contacts: int) -> int:
    """How many events of each of so many contacts one transaction takes."""
    return max(EVENTS_AT_ONCE // CONTACTS_AT_ONCE, min(EVENTS_OF_A_CONTACT, EVENTS_AT_ONCE // contacts))


async def claim_contact(session: AsyncSession, contact_id: UUID) -> bool:
    """Lock this contact; False where another has it locked, or it is no more."""
    lock = select(Contact.id).where(Contact.id == contact_id)
    return await session.scalar(lock.with_for_update(key_share=True, skip_locked=True)) is not None


async def waiting_events(session: AsyncSession, contact_ids: Sequence[UUID], *, each: int) -> Sequence[Event]:
    """The oldest waiting events of contacts whose locks are held, at most so many of `each`, in the order of the log.

    Reading after the locks were taken, not with them, shows what the holders before have committed.
    """
    oldest = select(QueuedEvent.sequence, QueuedEvent.received_at).where(QueuedEvent.contact_id == Contact.id)
    waiting = oldest.order_by(QueuedEvent.sequence).limit(each).lateral()
    same = and_(Event.sequence == waiting.c.sequence, Event.received_at == waiting.c.received_at)
    query = select(Event).select_from(Contact).join(waiting, true()).join(Event, same)
    return (await session.scalars(query.where(Contact.id.in_(contact_ids)).order_by(Event.sequence))).all()


async def take_out(session: AsyncSession, events: Sequence[Event]) -> None:
    """Take events out of the queue: their effects are in this transaction."""
    await session.execute(delete(QueuedEvent).where(QueuedEvent.sequence.in_([event.sequence for event in events])))


async def is_anything_waiting(session: AsyncSession) -> bool:
    """Whether an event waits, for whatever reason."""
    return bool(await session.scalar(_LONGER_THAN, {"window": 0}))


async def drop_orphans(session: AsyncSession) -> int:
    """Take events of erased contacts out of the queue; returns how many."""
    return len((await session.execute(_DROP_ORPHANS)).all())
