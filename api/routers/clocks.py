"""Clocks of journeys that time lets contacts into: how they stand, and how far a broadcast has come."""

from fastapi import APIRouter

from api import problems
from api.dependencies import SessionDep
from api.operation import operation
from api.requests import JsonRoute
from api.routers.journeys import JourneyKey, unknown_journey
from api.schemas.clocks import CLOCKS, ClocksView, RoundView
from crm.access import Scope
from crm.clocks import ClockRepository
from crm.journeys import JourneyRepository
from crm.models.clock import EntryRound, RoundKind

router = APIRouter(tags=["Journeys"], route_class=JsonRoute)


@router.get(
    "/v1/journeys/{key}/clocks",
    **operation(
        Scope.READ,
        problems.UNKNOWN_JOURNEY,
        summary="Read how the clocks of a journey stand",
        operation_id="get_clocks",
        response_model=ClocksView,
        example=CLOCKS,
    ),
)
async def get_clocks(key: JourneyKey, session: SessionDep) -> ClocksView:
    """Of a journey entered by absence, date or broadcast: how many clocks run, and how far its rounds have come."""
    if not await JourneyRepository(session).versions(key):
        raise unknown_journey(key)
    clocks = ClockRepository(session)
    standing, rounds = await clocks.standing(key), await clocks.rounds(key)
    return ClocksView(
        running=standing.running,
        next_due_at=standing.next_due_at,
        rung=standing.rung,
        rounds=[_round_view(one) for one in rounds],
    )


def _round_view(one: EntryRound) -> RoundView:
    return RoundView(
        id=one.id,
        kind=RoundKind(one.kind),
        due_at=one.due_at,
        zones=len(one.zones) if one.zones is not None else None,
        contacts=one.contacts,
        done=one.done,
        begun_at=one.begun_at,
        finished_at=one.finished_at,
        outcome=one.outcome,
    )
