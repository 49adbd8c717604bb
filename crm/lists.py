"""Lists: who is on them. A list is made when somebody is first put on it."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession


class ListRepository:
    """Membership of lists, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def change(self, contact_id: UUID, *, list_key: str, member: bool, reason: str) -> bool:
        """Make the contact a member, or no longer; returns whether that changed anything."""
        raise NotImplementedError

    async def of(self, contact_id: UUID) -> frozenset[str]:
        """Keys of the lists the contact is on."""
        raise NotImplementedError
