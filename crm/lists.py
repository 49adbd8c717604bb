"""Lists: who is on them. A list is made when somebody is first put on it."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.contact_list import ContactList, ListMember


class ListRepository:
    """Membership of lists, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def change(self, contact_id: UUID, *, list_key: str, member: bool, reason: str) -> bool:
        """Make the contact a member, or no longer; returns whether that changed anything."""
        if member:
            return await self._add(contact_id, list_key, reason)
        removed = await self._session.scalars(
            delete(ListMember)
            .where(ListMember.list_key == list_key, ListMember.contact_id == contact_id)
            .returning(ListMember.list_key)
        )
        return bool(removed.all())

    async def of(self, contact_id: UUID) -> frozenset[str]:
        """Keys of the lists the contact is on."""
        query = select(ListMember.list_key).where(ListMember.contact_id == contact_id)
        return frozenset(await self._session.scalars(query))

    async def _add(self, contact_id: UUID, list_key: str, reason: str) -> bool:
        await self._session.execute(insert(ContactList).values(key=list_key).on_conflict_do_nothing())
        added = await self._session.scalars(
            insert(ListMember)
            .values(list_key=list_key, contact_id=contact_id, reason=reason)
            .on_conflict_do_nothing()
            .returning(ListMember.list_key)
        )
        return bool(added.all())
