"""Giving points on behalf of a step: an event that the points model counts like any other, and counts at once."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from activities.emitting import emit, enrollment_of, event_id_of, was_done
from crm.events import EventRepository
from crm.scoring import ScoringRepository
from journeys.scoring import SCORE_GIVEN
from journeys.steps.give_points import GIVEN
from workflows.ports import ActionResult, GivePoints


async def give_points(session: AsyncSession, request: GivePoints) -> ActionResult:
    """Give the points once; the thresholds they lead over are crossed."""
    if await was_done(session, request, SCORE_GIVEN):
        return ActionResult(result=GIVEN, because=f"{request.points:+} points under {request.model}")
    enrollment = await enrollment_of(session, request.enrollment_id)
    scoring = ScoringRepository(session)
    await scoring.demand_live(request.model)
    await emit(session, request, SCORE_GIVEN, properties_of(request, enrollment.journey_key))
    change = await scoring.give(request.contact_id, request.model, event_id_of(request, SCORE_GIVEN))
    await EventRepository(session).accept(change.crossed)
    return ActionResult(result=GIVEN, because=told(request, change.before, change.after))


def properties_of(request: GivePoints, journey: str) -> dict[str, Any]:
    """What the event says: how many points under which model, why, and which step gave them."""
    return {
        "model": request.model,
        "points": request.points,
        "reason": request.reason,
        "journey": journey,
        "step": request.step,
    }


def told(request: GivePoints, before: int, after: int) -> str:
    """What came of it, in a sentence."""
    return f"{request.points:+} points under {request.model}: {after}, before {before}"
