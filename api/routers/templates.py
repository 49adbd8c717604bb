"""The templates that the versions of a journey send, and moving them to the newest."""

from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from api import problems
from api.authentication import AccessDep
from api.dependencies import SessionDep
from api.idempotency import Answer, OnceDep
from api.operation import operation
from api.requests import JsonRoute
from api.routers.journeys import JourneyKey, unknown_journey
from api.schemas.fields import Output
from crm.access import Scope
from crm.journeys import JourneyRepository
from messaging.pins import TemplatePins

router = APIRouter(tags=["Journeys"], route_class=JsonRoute)


class PinView(Output):
    """A template that a version of a journey sends."""

    journey_version: int
    template: str
    version: int = Field(description="The version that is sent; of a refresh, that was sent until now.")
    newest: int


class PinsView(Output):
    """The templates that the versions send which take contacts or hold some, newest version of the journey first."""

    items: list[PinView]


_EXAMPLE = PinsView(items=[PinView(journey_version=3, template="welcome", version=1, newest=2)])


@router.get(
    "/v1/journeys/{key}/templates",
    **operation(
        Scope.READ,
        problems.UNKNOWN_JOURNEY,
        summary="List the templates a journey sends",
        operation_id="list_templates",
        response_model=PinsView,
        example=_EXAMPLE,
    ),
)
async def list_templates(key: JourneyKey, session: SessionDep) -> PinsView:
    """Chosen when the version was published: a template that changes later does not change what is sent."""
    await _known(session, key)
    return PinsView(items=[PinView.model_validate(one) for one in await TemplatePins(session).of(key)])


@router.post(
    "/v1/journeys/{key}/templates/refresh",
    **operation(
        Scope.AUTHOR,
        problems.UNKNOWN_JOURNEY,
        problems.IDEMPOTENCY_KEY_REUSED,
        summary="Send the newest templates",
        operation_id="refresh_templates",
        response_model=PinsView,
        example=_EXAMPLE,
    ),
)
async def refresh_templates(key: JourneyKey, *, session: SessionDep, once: OnceDep, access: AccessDep) -> JSONResponse:
    """For all versions that take contacts or hold some; answers those that moved.

    Refused, with every finding, where a newer template cannot be filled in without a variable that contacts may lack
    on some way, or needs a consent that is not known to stand. Then nothing has changed.
    """

    async def effect() -> Answer:
        await _known(session, key)
        moved = await TemplatePins(session).refresh(key, by=access.actor)
        return HTTPStatus.OK, PinsView(items=[PinView.model_validate(one) for one in moved])

    return await once(effect)


async def _known(session: AsyncSession, key: str) -> None:
    if not await JourneyRepository(session).versions(key):
        raise unknown_journey(key)
