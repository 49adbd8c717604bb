"""Steering enrollments: pause, resume, skip, retry, reschedule, decide, exit. Each is audited: who asked, and why."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse

from api import problems
from api.authentication import AccessDep
from api.dependencies import ClockDep, SessionDep
from api.enrollment_views import found
from api.idempotency import Answer, OnceDep
from api.operation import operation
from api.operator import OperatorDep
from api.requests import JsonRoute
from api.schemas import enrollment_examples as examples
from api.schemas.enrollments import (
    CommandAnswer,
    CommandRequest,
    DecideRequest,
    ExitAnswer,
    RescheduleRequest,
    ResumeRequest,
)
from crm.access import AuditRepository, Scope
from intake.enrollment import request_exit

router = APIRouter(tags=["Enrollments"], route_class=JsonRoute)

Reason = Annotated[
    CommandRequest | None,
    Body(openapi_examples={"usual": {"summary": "With a reason", "value": {"reason": "The customer called."}}}),
]


def _command(action: str, summary: str) -> dict[str, Any]:
    return operation(
        Scope.OPERATE,
        problems.UNKNOWN_ENROLLMENT,
        problems.CONFLICT,
        body=True,
        summary=summary,
        operation_id=f"{action}_enrollment",
        response_model=CommandAnswer,
        example=examples.PAUSED.model_copy(update={"action": action}),
    )


@router.post("/v1/enrollments/{enrollment_id}/pause", **_command("pause", "Freeze an enrollment at its step"))
async def pause(enrollment_id: UUID, operator: OperatorDep, request: Reason = None) -> CommandAnswer:
    """Nothing is sent and no wait ends while it is paused. Pausing a paused one changes nothing."""
    return await operator.carry_out("pause", enrollment_id, request)


@router.post("/v1/enrollments/{enrollment_id}/resume", **_command("resume", "Let a paused enrollment go on"))
async def resume(
    enrollment_id: UUID,
    operator: OperatorDep,
    request: Annotated[ResumeRequest | None, Body(openapi_examples={"usual": {"value": examples.RESUME}})] = None,
) -> CommandAnswer:
    """It goes on where it was frozen; `timers` says what becomes of the time that has passed meanwhile."""
    return await operator.carry_out("resume", enrollment_id, request)


@router.post("/v1/enrollments/{enrollment_id}/skip", **_command("skip", "Leave the present step undone"))
async def skip(enrollment_id: UUID, operator: OperatorDep, request: Reason = None) -> CommandAnswer:
    """It goes on with the step after it."""
    return await operator.carry_out("skip", enrollment_id, request)


@router.post("/v1/enrollments/{enrollment_id}/retry", **_command("retry", "Try the failed step again"))
async def retry(enrollment_id: UUID, operator: OperatorDep, request: Reason = None) -> CommandAnswer:
    """For enrollments that need attention: the step is taken up again."""
    return await operator.carry_out("retry", enrollment_id, request)


@router.post("/v1/enrollments/{enrollment_id}/reschedule", **_command("reschedule", "Move the end of the running wait"))
async def reschedule(
    enrollment_id: UUID,
    operator: OperatorDep,
    request: Annotated[RescheduleRequest, Body(openapi_examples={"usual": {"value": examples.RESCHEDULE}})],
) -> CommandAnswer:
    """The wait ends at `at`; where that has passed, at once. A date that moves afterwards moves the wait again."""
    return await operator.carry_out("reschedule", enrollment_id, request)


@router.post("/v1/enrollments/{enrollment_id}/decide", **_command("decide", "Answer an approval"))
async def decide(
    enrollment_id: UUID,
    operator: OperatorDep,
    request: Annotated[DecideRequest, Body(openapi_examples={"usual": {"value": examples.DECIDE}})],
) -> CommandAnswer:
    """For an enrollment that waits at an `approve`; GET /v1/enrollments?state=waiting&step=… lists those.

    The decision names whose key it was, and the reason. An answer cannot be taken back.
    """
    return await operator.carry_out("decide", enrollment_id, request)


@router.post(
    "/v1/enrollments/{enrollment_id}/exit",
    **operation(
        Scope.OPERATE,
        problems.UNKNOWN_ENROLLMENT,
        problems.IDEMPOTENCY_KEY_REUSED,
        body=True,
        summary="End an enrollment",
        operation_id="exit_enrollment",
        response_model=ExitAnswer,
        status_code=HTTPStatus.ACCEPTED,
        example=examples.EXIT,
    ),
)
async def end(
    enrollment_id: UUID,
    *,
    session: SessionDep,
    once: OnceDep,
    clock: ClockDep,
    access: AccessDep,
    request: Reason = None,
) -> JSONResponse:
    """The order is kept in the database, so it is carried out even where Temporal is away now."""
    reason = request.reason if request else ""

    async def effect() -> Answer:
        enrollment = await found(session, enrollment_id)
        if enrollment.ended_at is not None:
            return HTTPStatus.ACCEPTED, ExitAnswer(enrollment_id=enrollment_id, result="already_ended")
        event_id = f"exit:{enrollment_id}:{uuid4()}"
        told = reason or f"asked by {access.actor}"
        await request_exit(session, enrollment, reason=told, event_id=event_id, at=clock())
        target = f"enrollment:{enrollment_id}"
        await AuditRepository(session).record(access.actor, "enrollment.exit", target, {"reason": reason})
        return HTTPStatus.ACCEPTED, ExitAnswer(enrollment_id=enrollment_id, result="requested")

    return await once(effect)
