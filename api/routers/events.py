"""Events in our own words, for callers that need no Segment library."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse

from api import problems
from api.acceptance import API, new_event_id
from api.dependencies import ClockDep, SessionDep
from api.errors import ProblemError
from api.idempotency import Answer, OnceDep
from api.operation import operation
from api.references import reference_to
from api.requests import JsonRoute
from api.schemas.fields import EXAMPLE_ID
from api.schemas.tracking import EventAccepted, EventInput
from api.segment import size_problem
from crm.access import Scope
from crm.contacts import ContactRepository
from crm.events import EventRepository, NewEvent

router = APIRouter(tags=["Events"], route_class=JsonRoute)

EVENT = {
    "event": "order.placed",
    "event_id": "order-4711-placed",
    "contact": {"user_id": "customer-4711"},
    "properties": {"order_id": "A-1", "order_number": 1},
    "occurred_at": "2026-03-01T09:30:00Z",
}


@router.post(
    "/v1/events",
    **operation(
        Scope.TRACK,
        problems.NOT_FOUND,
        problems.IDEMPOTENCY_KEY_REUSED,
        body=True,
        summary="Send one event",
        operation_id="send_event",
        response_model=EventAccepted,
        example=EventAccepted(event_id="order-4711-placed", contact_id=EXAMPLE_ID, new=True),
        status_code=HTTPStatus.ACCEPTED,
    ),
)
async def send_event(
    event: Annotated[EventInput, Body(openapi_examples={"usual": {"summary": "An order", "value": EVENT}})],
    session: SessionDep,
    once: OnceDep,
    clock: ClockDep,
) -> JSONResponse:
    """As `/v1/track` in our own words; the answer also says whether the event was new, and whose it is."""
    if found := size_problem([event.properties], where="/properties"):
        raise ProblemError(problems.BODY_TOO_LARGE, f"/properties: {found.what}", errors=[found])
    reference = reference_to(event.contact)

    async def effect() -> Answer:
        contact_id = (await ContactRepository(session).resolve([reference]))[0]
        new = NewEvent(
            event_id=event.event_id or new_event_id(),
            contact_id=contact_id,
            name=event.event,
            properties=event.properties,
            occurred_at=event.occurred_at or clock(),
            source=API,
        )
        accepted = await EventRepository(session).accept([new])
        is_new = new.event_id in accepted
        return HTTPStatus.ACCEPTED, EventAccepted(event_id=new.event_id, contact_id=contact_id, new=is_new)

    return await once(effect)
