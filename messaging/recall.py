"""Messages that a stop came too late for: what a carrier has been given cannot be called back."""

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.enrollment import Enrollment
from messaging.models import MessageRecord, MessageState

_OUT = (MessageState.HANDING_OVER, MessageState.HANDED_OVER, MessageState.UNKNOWN)


async def beyond_recall(session: AsyncSession, journey_key: str, since: datetime) -> int:
    """How many messages to those inside a journey at that moment (aware) were with the carrier then, or went later."""
    query = (
        select(func.count())
        .select_from(MessageRecord)
        .join(Enrollment, Enrollment.id == MessageRecord.enrollment_id)
        .where(Enrollment.journey_key == journey_key, Enrollment.created_at <= since)
        .where(or_(Enrollment.ended_at.is_(None), Enrollment.ended_at >= since))
        .where(MessageRecord.state.in_(_OUT))
        .where(or_(MessageRecord.settled_at.is_(None), MessageRecord.settled_at >= since))
    )
    return int(await session.scalar(query) or 0)
