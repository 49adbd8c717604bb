"""What a template may speak of for one contact in one enrollment: plain values only, never objects."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyVersion
from kit.errors import Invalid, NotFound
from kit.settings import Settings
from messaging.channels.base import Mailbox

_FIELDS = ("email", "first_name", "last_name", "phone", "locale", "country", "region")
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Recipient:
    """Whom a message is for: what is filled in, the name shown on the address, the language asked for; the contact."""

    variables: Mapping[str, Any]
    name: str
    locale: str | None
    contact: Contact
    is_test: bool = False
    """Whether it is a test user in a draft: what it is sent says so."""

    def with_variables(self, more: Mapping[str, Any]) -> "Recipient":
        """The same, with further variables."""
        return replace(self, variables={**self.variables, **_present(more)})


async def recipient(session: AsyncSession, contact_id: UUID, enrollment_id: UUID, *, settings: Settings) -> Recipient:
    """The recipient's variables: `contact.…`, `entry.…`, `journey.name`, `sender.…`. What has no value is left out.

    Raises:
        NotFound: contact or enrollment does not exist (any more).
    """
    row = (
        await session.execute(
            select(Contact, Enrollment.entry_properties, Enrollment.tested_draft, JourneyVersion.definition)
            .join(Enrollment, Enrollment.contact_id == Contact.id)
            .join(
                JourneyVersion,
                (JourneyVersion.journey_key == Enrollment.journey_key) & (JourneyVersion.version == Enrollment.version),
            )
            .where(Contact.id == contact_id, Enrollment.id == enrollment_id)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if row is None:
        raise NotFound("The contact or the enrollment does not exist any more.", remedy="End the enrollment.")
    contact, properties, tested_draft, definition = row
    found = recipient_of(contact, properties, definition["name"], settings=settings)
    return replace(found, is_test=tested_draft is not None)


def recipient_of(
    contact: Contact, properties: Mapping[str, Any], journey_name: str, *, settings: Settings
) -> Recipient:
    """The same from what is known already: the contact, the properties of the entry, the journey's name."""
    fields = {name: getattr(contact, name) for name in _FIELDS}
    sender = sender_of(settings)
    variables = {
        "contact": _present({**contact.attributes, **_present(fields)}),
        "entry": _present(properties),
        "journey": {"name": journey_name},
        "sender": {"name": sender.name, "address": sender.address, "postal_address": settings.postal_address},
    }
    return Recipient(
        variables, one_line(f"{contact.first_name or ''} {contact.last_name or ''}"), contact.locale, contact
    )


def sender_of(settings: Settings) -> Mailbox:
    """The sender of every message.

    Raises:
        Invalid: the setting `mail_from` holds no address.
    """
    name, address = parseaddr(settings.mail_from)
    try:
        return Mailbox(Address(addr_spec=address).addr_spec, one_line(name))
    except (ValueError, IndexError):
        raise Invalid(
            "The setting DAUERLAUF_MAIL_FROM holds no mail address.", remedy="Write it as `Name <name@example.com>`."
        ) from None


def one_line(text: str) -> str:
    """A text fit for a header: no line breaks or control characters, no runs of spaces, at most 100 characters."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:_LONGEST_NAME].strip()


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is null or blank: to a template that is missing, so it can be asked for and never printed."""
    return {
        name: _present(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
        if value is not None and not (isinstance(value, str) and not value.strip())
    }
