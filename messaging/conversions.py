"""Conversions after a message: those who met the goal of a journey once it had written to them.

Beside the count by entry in `crm.experiments`, in which the goal counts with or without a message.
"""

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.experiments import PART, Group, Part, outcome_known
from crm.models.enrollment import Enrollment
from journeys.proportions import Counted
from messaging.models import MessageRecord, MessageState


async def after_message(session: AsyncSession, journey_key: str, now: datetime) -> Group:
    """The journey's contacts to whom a message was handed over before they met the goal, and who of them met it.

    `now` is aware. Counted as everywhere: no test runs, and neither the holdout nor the control group. A message
    whose hand-over is uncertain is none.
    """
    handed_over = (
        select(MessageRecord.enrollment_id, func.min(MessageRecord.settled_at).label("first"))
        .join(Enrollment, Enrollment.id == MessageRecord.enrollment_id)
        .where(
            Enrollment.journey_key == journey_key,
            Enrollment.tested_draft.is_(None),
            MessageRecord.state == MessageState.HANDED_OVER,
        )
        .group_by(MessageRecord.enrollment_id)
        .subquery()
    )
    counts = (func.count(), func.count(Enrollment.goal_met_at), func.count().filter(~outcome_known(now)))
    query = (
        select(*counts)
        .join(handed_over, handed_over.c.enrollment_id == Enrollment.id)
        .where(
            PART == Part.CONTACTS, or_(Enrollment.goal_met_at.is_(None), Enrollment.goal_met_at >= handed_over.c.first)
        )
    )
    written_to, met, still = (await session.execute(query)).one()
    return Group(Counted(written_to, met), still)
