"""Who leaves by the exit condition of a journey: asked at the door, at each change, and on the way to a version."""

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from crm.facts import load_facts
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from intake.matching import LostGround, Passage, is_news
from journeys.conditions.base import Verdict
from journeys.conditions.registry import Condition
from journeys.segments import touched_by
from kit.errors import Invalid

_log = structlog.get_logger(__name__)


async def judged(session: AsyncSession, condition: Condition, enrollment: Enrollment, now: datetime) -> Verdict | None:
    """The exit condition on the contact's record at `now` (aware); None where it cannot be judged: nobody leaves then.

    The enrollment need not be stored yet.
    """
    facts = await load_facts(session, enrollment.contact_id, condition.needs(), now, enrollment=enrollment)
    try:
        return condition.judge(facts)
    except Invalid as error:
        enrolled = str(enrollment.id) if enrollment.id is not None else None
        _log.warning("exit_condition_undecidable", enrollment=enrolled, because=str(error))
        return None


def may_leave(event: Event, passage: Passage, *, scored: bool) -> bool:
    """Whether the event may make the exit condition hold. `scored`: whether points are given for it."""
    condition = passage.exit_when
    if condition is None or not is_news(event, passage):
        return False
    return touched_by(condition, event.name, event.properties, scored=scored)


async def ground_of(session: AsyncSession, enrollment_id: UUID, passage: Passage, now: datetime) -> LostGround | None:
    """Why the enrollment is to end by the exit condition of the passage; None where it goes on.

    It is meant for those in that version: one that is on its way and does not arrive stays in its own.
    """
    enrollment = await session.get(Enrollment, enrollment_id)
    if enrollment is None or passage.exit_when is None:
        return None
    verdict = await judged(session, passage.exit_when, enrollment, now)
    if verdict is None or not verdict.holds:
        return None
    steps = None if enrollment.moving_to is None else tuple(passage.plan.nodes)
    return LostGround(left_because(verdict), steps)


def left_because(verdict: Verdict) -> str:
    """In a sentence for people, without personal data."""
    return f"exit condition holds: {verdict.because}"
