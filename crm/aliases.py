"""Alias: a further name of a contact. Two contacts that exist already are never merged by it."""

from uuid import UUID

from crm.contacts import ContactReference, ContactRepository


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
