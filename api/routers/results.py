"""What journeys have brought about: goals met, against the holdout and per arm of an experiment."""

from fastapi import APIRouter

from api import problems
from api.dependencies import ClockDep, SessionDep
from api.operation import operation
from api.requests import JsonRoute
from api.result_views import EXAMPLE, experiment_view, results_view
from api.routers.journeys import JourneyKey, unknown_journey
from api.schemas.results import ResultsView
from crm.access import Scope
from crm.experiments import ExperimentRepository
from crm.journeys import JourneyRepository

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

    Over all versions. A goal counts within its `within`, also after the enrollment has ended.
    """
    if not await JourneyRepository(session).versions(key):
        raise unknown_journey(key)
    experiments, now = ExperimentRepository(session, key), clock()
    views = [
        experiment_view(name, arms, await experiments.arms(name, now), await experiments.record(name))
        for name, arms in (await experiments.arms_by_experiment()).items()
    ]
    return results_view(key, await experiments.groups(now), views)
