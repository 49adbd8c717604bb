"""Contacts: finding one by the names it is known by, making it, and writing what is said of it.

Which trait is which field is in `crm.traits`; consent, lists and scores have modules of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.contact import Contact
from crm.traits import TraitReport


@dataclass(frozen=True)
class ContactReference:
    """The names a caller knows a contact by, at least one. E-mail addresses are compared in lower case.

    Raises:
        Invalid: no name is given, one is blank or too long, or the e-mail address is none.
    """

    contact_id: UUID | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    email: str | None = None


class ContactRepository:
    """Contacts and their identities, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, contact_id: UUID) -> Contact | None:
        """The contact, or None."""
        raise NotImplementedError

    async def find(self, reference: ContactReference) -> Contact | None:
        """The contact that `resolve` would lead to, or None where it would make one."""
        raise NotImplementedError

    async def resolve(self, references: Sequence[ContactReference]) -> list[UUID]:
        """The contact of each reference, in order; makes those that do not exist and attaches names not yet taken.

        Raises:
            NotFound: a `contact_id` does not exist.
        """
        raise NotImplementedError

    async def upsert(self, reference: ContactReference, traits: Mapping[str, Any]) -> tuple[Contact, bool]:
        """Make the contact or change it; the second value says whether it was made.

        Raises:
            Invalid: a trait is not usable; lists every finding, and nothing is written.
            NotFound: the `contact_id` does not exist.
        """
        raise NotImplementedError

    async def apply_traits(self, contact_id: UUID, traits: Mapping[str, Any]) -> TraitReport:
        """Write the usable traits and report the others. Locks the contact's row until the transaction ends.

        Raises:
            NotFound: the contact does not exist.
        """
        raise NotImplementedError

    async def page(self, *, after: UUID | None = None, limit: int = 50) -> list[Contact]:
        """Contacts in order of their making, beginning behind `after`."""
        raise NotImplementedError
