"""What journeys have brought about: goals met, against the holdout and per arm of an experiment; or by another goal."""

from typing import Annotated

from fastapi import APIRouter, Body

from api import problems
from api.dependencies import ClockDep, SessionDep
from api.operation import operation
from api.requests import JsonRoute
from api.result_views import EXAMPLE, RETROACTIVE, experiment_view, results_view, retroactive_view
from api.routers.journeys import JourneyKey, unknown_journey
from api.schemas.results import OtherGoalInput, ResultsView, RetroactiveView
from crm.access import Scope
from crm.experiments import ExperimentRepository
from crm.journeys import JourneyRepository
from crm.retroactive import OtherGoal, groups_by
from messaging.conversions import after_message

router = APIRouter(tags=["Journeys"], route_class=JsonRoute)


@router.get(
    "/v1/journeys/{key}/results",
    **operation(
        Scope.READ,
        problems.UNKNOWN_JOURNEY,
        summary="Read what a journey brought about",
        operation_id="get_results",
        response_model=ResultsView,
        example=EXAMPLE,
    ),
)
async def get_results(key: JourneyKey, session: SessionDep, clock: ClockDep) -> ResultsView:
    """How many entered and met the goal: of its contacts, of its holdout, and of each arm of its experiments.

    Over all versions. A goal counts within its `within`, also after the enrollment has ended. `after_message` tells of
    those apart who met it after a message.
    """
    if not await JourneyRepository(session).versions(key):
        raise unknown_journey(key)
    experiments, now = ExperimentRepository(session, key), clock()
    views = [
        experiment_view(name, arms, await experiments.arms(name, now), await experiments.record(name))
        for name, arms in (await experiments.arms_by_experiment()).items()
    ]
    return results_view(key, await experiments.groups(now), await after_message(session, key, now), views)


_OTHER_GOAL = {"event": "order.placed", "where": {"amount": {"at_least": 50}}, "within": "60d"}


@router.post(
    "/v1/journeys/{key}/results/retroactive",
    **operation(
        Scope.READ,
        problems.UNKNOWN_JOURNEY,
        body=True,
        summary="Ask what another goal would say",
        operation_id="get_retroactive_results",
        response_model=RetroactiveView,
        example=RETROACTIVE,
    ),
)
async def get_retroactive_results(
    key: JourneyKey,
    request: Annotated[OtherGoalInput, Body(openapi_examples={"usual": {"value": _OTHER_GOAL}})],
    session: SessionDep,
    clock: ClockDep,
) -> RetroactiveView:
    """The same counts by a goal that the journey does not have: another event, or a longer time.

    Counted from the stored events of all who entered, over all versions. Nothing is stored: a goal that is changed in
    the journey is never counted for what was before. Nobody has left by this goal, so mails may have gone out after it.
    """
    if not await JourneyRepository(session).versions(key):
        raise unknown_journey(key)
    goal = OtherGoal(request.event, request.where, request.within)
    return retroactive_view(key, goal, await groups_by(session, key, goal, clock()))
