"""Letting a contact into a journey, and out of it, from anywhere: intake, the API, the command line.

What is judged at the door is in `intake.admission`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.contact import Contact
from crm.models.event import Event
from crm.models.journey import JourneyVersion
from intake.admission import Admission, AlreadyRunning, Door, Enrolled, EnrollmentResult, Entry
from intake.outbox import request_exit
from intake.reentry import EnrollmentRefusal, NotEnrolled
from kit.errors import NotFound

__all__ = [
    "AlreadyRunning",
    "Enrolled",
    "EnrollmentRefusal",
    "EnrollmentResult",
    "NotEnrolled",
    "enroll",
    "request_exit",
]


async def enroll(
    session: AsyncSession,
    version: JourneyVersion,
    contact_id: UUID,
    *,
    cause_event: Event | None,
    properties: Mapping[str, Any],
    entry_key: str | None = None,
    bypass_again: bool = False,
    now: datetime,
    control_group: int = 0,
    digest_key: SecretStr | None = None,
) -> EnrollmentResult:
    """Let the contact into the journey, or say why not; a refusal is stored. Locks the contact's row.

    Args:
        session: The caller's transaction.
        version: The version to enter; only a live one takes contacts.
        contact_id: The contact.
        cause_event: The entry event; None where the entry was asked for directly.
        properties: What `$entry.x` stands for in the journey.
        entry_key: In place of the property that `again: {per: …}` names.
        bypass_again: Whether the contact may enter although `again` says no. All other questions are asked, and nobody
            is inside twice under the same key.
        now: The present moment, aware.
        control_group: Percent of all contacts who get no marketing message, as it is set at this moment.
        digest_key: That of the suppression list, which is not asked without it.

    Raises:
        NotFound: no such contact.
    """
    lock = select(Contact.id).where(Contact.id == contact_id).with_for_update(key_share=True)
    if await session.scalar(lock) is None:
        raise NotFound("No such contact.", remedy="Identify the contact first, then enroll it.")
    entry = Entry(cause_event, properties, entry_key, bypass_again)
    admission = Admission(
        session, Door.of(version), contact_id, entry=entry, now=now, control_group=control_group, digest_key=digest_key
    )
    return await admission.decide()
