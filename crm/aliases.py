"""The names of a contact: reading them, and giving it a further one. Two contacts that exist are never merged by it.

Which contact a name leads to is decided in `crm.identities`.
"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.contacts import ContactReference, ContactRepository
from crm.models.contact import Identity


async def names_of(session: AsyncSession, contact_id: UUID) -> list[Identity]:
    """Every name that leads to the contact, by kind, oldest first."""
    names = select(Identity).where(Identity.contact_id == contact_id)
    return list(await session.scalars(names.order_by(Identity.kind, Identity.created_at, Identity.value)))


async def alias(contacts: ContactRepository, *, previous_id: str, user_id: str) -> UUID:
    """Make `previous_id`, a user id or an anonymous id, and `user_id` names of one contact, and return that contact.

    The name that is free goes to the contact of the other. Where both have contacts of their own, both keep them and
    the contact of `user_id` is returned.
    """
    target = await contacts.find(ContactReference(user_id=user_id))
    if target is None:
        previous = await contacts.find(ContactReference(user_id=previous_id))
        previous = previous or await contacts.find(ContactReference(anonymous_id=previous_id))
        if previous is not None:
            reference = ContactReference(contact_id=previous.id, user_id=user_id)
            return (await contacts.resolve([reference]))[0]
    return (await contacts.resolve([ContactReference(user_id=user_id, anonymous_id=previous_id)]))[0]
