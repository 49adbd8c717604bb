"""Reading the entries that were refused. They are written by `intake.admission`."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from intake.models import EntryRefusal


async def refusals_of(
    session: AsyncSession, contact_id: UUID, *, before: int | None = None, limit: int = 50
) -> Sequence[EntryRefusal]:
    """The contact's refused entries, newest first; `before` is the id of the last one read."""
    query = select(EntryRefusal).where(EntryRefusal.contact_id == contact_id)
    if before is not None:
        query = query.where(EntryRefusal.id < before)
    return (await session.scalars(query.order_by(EntryRefusal.id.desc()).limit(limit))).all()
