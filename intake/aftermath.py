"""What came of an event at the door of a journey, when it came: told by what was stored of it then."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.enrollment import Enrollment
from intake.models import EntryRefusal

ENTERED, REFUSED, NOTHING = "entered", "refused", "nothing"


@dataclass(frozen=True)
class Aftermath:
    """The contact entered by the event, was refused, or the event opened no door of the journey as it was then."""

    outcome: str
    at: datetime | None = None
    enrollment_id: UUID | None = None
    reason: str | None = None
    because: str = "the event opened no door of the journey as it was then"


async def aftermath_of(session: AsyncSession, journey_key: str, contact_id: UUID, event_id: str) -> Aftermath:
    """What was stored of the contact's event for the journey; of several refusals, as after `retry`, the last."""
    entered = select(Enrollment).where(
        Enrollment.contact_id == contact_id,
        Enrollment.journey_key == journey_key,
        Enrollment.entry_event_id == event_id,
    )
    enrollment = (await session.scalars(entered.order_by(Enrollment.id).limit(1))).first()
    if enrollment is not None:
        told = f"entered version {enrollment.entered_version} by it"
        return Aftermath(ENTERED, enrollment.created_at, enrollment.id, None, told)
    refused = select(EntryRefusal).where(
        EntryRefusal.contact_id == contact_id,
        EntryRefusal.journey_key == journey_key,
        EntryRefusal.cause_event_id == event_id,
    )
    refusal = (await session.scalars(refused.order_by(EntryRefusal.id.desc()).limit(1))).first()
    if refusal is not None:
        return Aftermath(REFUSED, refusal.at, None, refusal.reason, refusal.because)
    return Aftermath(NOTHING)
