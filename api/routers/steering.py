"""Steering a whole journey, or everybody at one of its steps. Single enrollments are in `api.routers.commands`."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncSession

from api import problems
from api.authentication import AccessDep
from api.dependencies import SessionDep
from api.idempotency import Answer, OnceDep
from api.operation import operation
from api.pagination import DEFAULT_LIMIT, CursorText, Limit, paged, read_cursor
from api.requests import JsonRoute
from api.routers.journeys import JourneyKey, unknown_journey
from api.schemas import steering_examples as examples
from api.schemas.enrollments import CommandRequest
from api.schemas.fields import Page, sequence_number
from api.schemas.steering import AtStepRequest, FoundView, ResumeRequest, SteeringView, StoppedView, StopRequest
from crm.access import Access, Scope
from crm.journeys import JourneyRepository
from crm.models.steering import Steer, Steering
from crm.steering import Operator, SteeringRepository
from journeys.values import Key
from messaging.recall import beyond_recall

router = APIRouter(tags=["Journeys"], route_class=JsonRoute)

Reason = Annotated[CommandRequest | None, Body(openapi_examples=examples.REASON)]
Resumption = Annotated[ResumeRequest | None, Body(openapi_examples=examples.RESUMING)]
Stopping = Annotated[StopRequest | None, Body(openapi_examples=examples.STOPPING)]
Choice = Annotated[AtStepRequest | None, Body(openapi_examples=examples.CHOOSING)]


def _steering(summary: str, operation_id: str, model: Any, example: Any, **more: Any) -> dict[str, Any]:
    return operation(
        Scope.OPERATE,
        problems.UNKNOWN_JOURNEY,
        problems.CONFLICT,
        problems.IDEMPOTENCY_KEY_REUSED,
        body=True,
        summary=summary,
        operation_id=operation_id,
        response_model=model,
        example=example,
        status_code=HTTPStatus.ACCEPTED,
        **more,
    )


@router.post("/v1/journeys/{key}/pause", **_steering("Pause a journey", "pause_journey", SteeringView, examples.PAUSED))
async def pause_journey(
    key: JourneyKey, *, session: SessionDep, once: OnceDep, access: AccessDep, request: Reason = None
) -> JSONResponse:
    """Nobody is let in (entries are refused as `journey_paused`), nothing is sent, and everybody inside is frozen.

    Who is frozen already stays so when the journey is resumed. The order is kept in the database.
    """

    async def effect() -> Answer:
        await _known(session, key)
        order = await SteeringRepository(session).pause(key, _operator(access, request))
        return HTTPStatus.ACCEPTED, await steering_view(session, order)

    return await once(effect)


@router.post(
    "/v1/journeys/{key}/resume",
    **_steering("Resume a paused journey", "resume_journey", SteeringView, examples.RESUMED),
)
async def resume_journey(
    key: JourneyKey, *, session: SessionDep, once: OnceDep, access: AccessDep, request: Resumption = None
) -> JSONResponse:
    """It takes contacts again, and everybody goes on whom pausing it has frozen, as `timers` says."""
    asked = request or ResumeRequest()

    async def effect() -> Answer:
        await _known(session, key)
        order = await SteeringRepository(session).resume(key, _operator(access, request), asked.timers)
        return HTTPStatus.ACCEPTED, await steering_view(session, order)

    return await once(effect)


@router.post("/v1/journeys/{key}/stop", **_steering("Stop a journey", "stop_journey", StoppedView, examples.STOPPED))
async def stop_journey(
    key: JourneyKey, *, session: SessionDep, once: OnceDep, access: AccessDep, request: Stopping = None
) -> JSONResponse:
    """It takes no new contacts until a version is published again. Those inside finish, or are ended.

    From the answer on nothing is sent to those who are ended. What a carrier has been given cannot be called back:
    `beyond_recall` of the order, in GET /v1/journeys/{key}/steerings, tells how many messages that are.
    """
    asked = request or StopRequest()

    async def effect() -> Answer:
        await _known(session, key)
        stopped = await SteeringRepository(session).stop(key, _operator(access, request), asked.inside)
        order = stopped.steering
        return HTTPStatus.ACCEPTED, StoppedView(
            key=key,
            versions=stopped.versions,
            inside=stopped.inside,
            steering=None if order is None else await steering_view(session, order),
        )

    return await once(effect)


@router.post(
    "/v1/journeys/{key}/steps/{step}/{action}",
    **_steering(
        "Steer everybody at a step",
        "steer_step",
        FoundView,
        examples.FOUND,
        answers={200: {"model": FoundView, "description": "With `plan`: how many it would find."}},
    ),
)
async def steer_step(
    key: JourneyKey,
    step: Annotated[Key, Path(description="The step's id.", examples=["pause"])],
    action: Annotated[
        Literal["release", "skip", "exit", "retry"],
        Path(description="End the running wait now, leave the step undone, leave the journey, or try it again."),
    ],
    *,
    session: SessionDep,
    once: OnceDep,
    access: AccessDep,
    request: Choice = None,
) -> JSONResponse:
    """In whichever version they are. Who has gone on meanwhile is not touched; with `plan` nobody is, only counted.

    `retry` finds only those who need attention; `parked` and `attention` have the others do so, too.

    The order is kept in the database and carried out contact by contact.
    """
    asked = request or AtStepRequest()

    async def effect() -> Answer:
        await _known(session, key)
        repository, whom = SteeringRepository(session), asked.whom(step)
        if asked.plan:
            return HTTPStatus.OK, FoundView(count=await repository.count(key, Steer(action), whom), steering=None)
        order = await repository.steer(key, Steer(action), whom, _operator(access, request))
        return HTTPStatus.ACCEPTED, FoundView(count=None, steering=await steering_view(session, order))

    return await once(effect)


@router.get(
    "/v1/journeys/{key}/steerings",
    **operation(
        Scope.READ,
        problems.UNKNOWN_JOURNEY,
        summary="List what was ordered for many at once",
        operation_id="list_steerings",
        response_model=Page[SteeringView],
        example=examples.ORDERS,
    ),
)
async def list_steerings(
    key: JourneyKey, session: SessionDep, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None
) -> Page[SteeringView]:
    """Newest first, each with how far it has come."""
    await _known(session, key)
    before = read_cursor(cursor, sequence_number)
    rows = await SteeringRepository(session).orders(key, before=before, limit=limit + 1)
    items, following = paged(rows, limit, lambda order: order.id)
    return Page[SteeringView](items=[await steering_view(session, order) for order in items], next=following)


async def steering_view(session: AsyncSession, order: Steering) -> SteeringView:
    """An order as it is answered."""
    waiting = order.ordered - order.carried - order.refused - order.gone
    out = await beyond_recall(session, order.journey_key, order.created_at) if order.action == Steer.STOP else None
    return SteeringView(
        **{name: getattr(order, name) for name in _SAME},
        limit=order.most,
        where=order.condition,
        waiting=waiting,
        done=order.ordered_at is not None and waiting == 0,
        beyond_recall=out,
    )


_SAME = (
    *("id", "action", "step", "due_before", "timers", "by", "reason", "ordered", "carried", "refused", "gone"),
    *("parked", "attention", "last_refusal", "created_at"),
)


def _operator(access: Access, request: CommandRequest | None) -> Operator:
    return Operator(access.actor, request.reason if request else "")


async def _known(session: AsyncSession, key: str) -> None:
    if not await JourneyRepository(session).versions(key):
        raise unknown_journey(key)
