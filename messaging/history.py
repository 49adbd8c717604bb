"""Reading the message ledger of one contact. Writing it is in `messaging.ledger`."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from messaging.models import MessageRecord


async def messages_of(
    session: AsyncSession, contact_id: UUID, *, before: UUID | None = None, limit: int = 50
) -> Sequence[MessageRecord]:
    """The contact's messages, newest first (ids are made in order); `before` is the id of the last one read."""
    query = select(MessageRecord).where(MessageRecord.contact_id == contact_id)
    if before is not None:
        query = query.where(MessageRecord.id < before)
    return (await session.scalars(query.order_by(MessageRecord.id.desc()).limit(limit))).all()
