"""Segment's tracking API under its own paths, so that the client libraries teams already use work unchanged."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse

from api import problems
from api.acceptance import TrackingDep
from api.operation import operation
from api.requests import JsonRoute
from api.schemas.tracking import Accepted, Alias, Batch, Group, Identify, PageView, ScreenView, Track
from crm.access import Scope

router = APIRouter(tags=["Events"], route_class=JsonRoute)

IDENTIFY = {
    "userId": "customer-4711",
    "traits": {"email": "ada@example.com", "firstName": "Ada", "timezone": "Europe/Berlin"},
}
TRACK = {
    "userId": "customer-4711",
    "event": "order.placed",
    "properties": {"order_id": "A-1", "order_number": 1, "product_id": "P-7"},
    "timestamp": "2026-03-01T09:30:00Z",
    "messageId": "order-4711-placed",
}
PAGE = {"anonymousId": "a-9", "name": "Pricing", "properties": {"url": "https://shop.example/pricing"}}
SCREEN = {"anonymousId": "a-9", "name": "Basket"}
GROUP = {"userId": "customer-4711", "groupId": "acme", "traits": {"name": "Acme GmbH"}}
ALIAS = {"previousId": "a-9", "userId": "customer-4711"}
BATCH = {"batch": [{"type": "identify", **IDENTIFY}, {"type": "track", **TRACK}]}


def _example(value: dict[str, Any]) -> Any:
    return Body(openapi_examples={"usual": {"summary": "As it usually is", "value": value}})


def _operation(name: str, summary: str) -> dict[str, Any]:
    return operation(
        Scope.TRACK,
        problems.IDEMPOTENCY_KEY_REUSED,
        body=True,
        summary=summary,
        operation_id=name,
        response_model=Accepted,
        example=Accepted(),
    )


@router.post("/v1/identify", **_operation("identify", "Say who a contact is"))
async def identify(call: Annotated[Identify, _example(IDENTIFY)], tracking: TrackingDep) -> JSONResponse:
    """Becomes the event `contact.identified`; its traits are written to the contact."""
    return await tracking.accept([call])


@router.post("/v1/track", **_operation("track", "Say what a contact did"))
async def track(call: Annotated[Track, _example(TRACK)], tracking: TrackingDep) -> JSONResponse:
    """Becomes the event of that name. Journeys start on it, wait for it, or end by it."""
    return await tracking.accept([call])


@router.post("/v1/page", **_operation("page", "Say which page a contact looked at"))
async def page(call: Annotated[PageView, _example(PAGE)], tracking: TrackingDep) -> JSONResponse:
    """Becomes the event `page.viewed`."""
    return await tracking.accept([call])


@router.post("/v1/screen", **_operation("screen", "Say which screen of an app a contact looked at"))
async def screen(call: Annotated[ScreenView, _example(SCREEN)], tracking: TrackingDep) -> JSONResponse:
    """Becomes the event `screen.viewed`."""
    return await tracking.accept([call])


@router.post("/v1/group", **_operation("group", "Say which group a contact belongs to"))
async def group(call: Annotated[Group, _example(GROUP)], tracking: TrackingDep) -> JSONResponse:
    """Becomes the event `contact.grouped`."""
    return await tracking.accept([call])


@router.post("/v1/alias", **_operation("alias", "Give a contact a further name"))
async def alias(call: Annotated[Alias, _example(ALIAS)], tracking: TrackingDep) -> JSONResponse:
    """Becomes the event `contact.aliased`. Two contacts that exist already are not merged."""
    return await tracking.accept([call])


@router.post("/v1/batch", **_operation("batch", "Send several calls at once"))
async def batch(calls: Annotated[Batch, _example(BATCH)], tracking: TrackingDep) -> JSONResponse:
    """All of them are accepted, or none; the problem names the index of each call at fault."""
    return await tracking.accept(calls.batch, calls)
