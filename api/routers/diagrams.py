"""Journeys as pictures, with who is where."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api import problems
from api.dependencies import SessionDep
from api.operation import operation
from api.requests import JsonRoute
from api.routers.journeys import JourneyKey, unknown_journey
from crm.access import Scope
from crm.journeys import JourneyRepository
from crm.live_diagram import live_chart
from journeys.drawing import svg

router = APIRouter(tags=["Journeys"], route_class=JsonRoute)

SVG_TYPE = "image/svg+xml"
_SHOWN = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 528 1164" width="528" height="1164">…</svg>'


class SvgResponse(Response):
    """A picture. It has no script and loads nothing."""

    media_type = SVG_TYPE


@router.get(
    "/v1/journeys/{key}/diagram.svg",
    **operation(
        Scope.READ,
        problems.UNKNOWN_JOURNEY,
        problems.NOT_FOUND,
        summary="Draw a journey, with who is where",
        operation_id="get_diagram",
        response_class=SvgResponse,
        answers={
            HTTPStatus.OK.value: {
                "description": "The picture.",
                "content": {SVG_TYPE: {"schema": {"type": "string"}, "example": _SHOWN}},
            }
        },
    ),
)
async def get_diagram(
    key: JourneyKey,
    session: SessionDep,
    version: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="Which version; without it the live one, or else the newest.")
    ] = None,
) -> SvgResponse:
    """As SVG: at every step how many wait there now, need attention, went on to what follows, or left the journey.

    In a `repeat` one contact goes on from a step more than once.
    """
    if not await JourneyRepository(session).versions(key):
        raise unknown_journey(key)
    return SvgResponse(svg(await live_chart(session, key, version)), headers={"Cache-Control": "no-store"})
