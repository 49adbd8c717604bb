"""Reports over all journeys."""

from fastapi import APIRouter

from api.dependencies import ClockDep, SessionDep
from api.operation import operation
from api.requests import JsonRoute
from api.result_views import GOAL_TYPES_EXAMPLE, goal_types_view
from api.schemas.results import GoalTypesView
from crm.access import Scope
from crm.reports import by_goal_type

router = APIRouter(tags=["Reports"], route_class=JsonRoute)


@router.get(
    "/v1/reports/goal-types",
    **operation(
        Scope.READ,
        summary="Read what journeys brought about, by goal type",
        operation_id="get_goal_types",
        response_model=GoalTypesView,
        example=GOAL_TYPES_EXAMPLE,
    ),
)
async def get_goal_types(session: SessionDep, clock: ClockDep) -> GoalTypesView:
    """How many entered journeys of each of the five goal types, and met the goal; held-out contacts apart.

    An enrollment counts under the goal type that its journey had when it began. Journeys without a goal are in none.
    """
    return goal_types_view(await by_goal_type(session, clock()))
