"""Messages that their gate has wait, kept where people look for a contact's messages: until when, and why.

Nothing is decided by what is kept here. The gate is asked anew when the time has come.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.enrollment import Enrollment
from messaging.ledger import MessageKey
from messaging.models import HeldMessage
from messaging.verdicts import Deferred


async def hold_back(
    session: AsyncSession, key: MessageKey, contact_id: UUID, template: str, deferred: Deferred
) -> None:
    """Note that the message waits; one that waited already, for something else, keeps its place among the others."""
    told = {"iteration": key.iteration, "template_key": template, "until": deferred.until, "because": deferred.because}
    held = insert(HeldMessage).values(
        enrollment_id=key.enrollment_id, step=key.step, channel=key.channel, contact_id=contact_id, **told
    )
    await session.execute(held.on_conflict_do_update(constraint="pk_held_messages", set_=told))


async def let_go(session: AsyncSession, key: MessageKey) -> None:
    """Note that the message waits no more, if it did."""
    await session.execute(
        delete(HeldMessage).where(
            HeldMessage.enrollment_id == key.enrollment_id,
            HeldMessage.step == key.step,
            HeldMessage.channel == key.channel,
        )
    )


async def held_back(
    session: AsyncSession, contact_id: UUID, *, before: UUID | None = None, limit: int = 50
) -> Sequence[HeldMessage]:
    """The contact's messages that wait, newest first; `before` is the id of the last one read."""
    at_step = and_(Enrollment.id == HeldMessage.enrollment_id, Enrollment.step == HeldMessage.step)
    query = select(HeldMessage).join(Enrollment, at_step)
    query = query.where(HeldMessage.contact_id == contact_id, Enrollment.ended_at.is_(None))
    if before is not None:
        query = query.where(HeldMessage.id < before)
    return (await session.scalars(query.order_by(HeldMessage.id.desc()).limit(limit))).all()
