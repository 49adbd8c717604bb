"""Enrollments: start one, list them, and say where one stands and why. Steering them is in `api.routers.commands`."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query
from fastapi.responses import JSONResponse

from api import problems
from api.authentication import AccessDep, demand_scope
from api.dependencies import ClockDep, SessionDep, SessionsDep, SettingsDep, TemporalDep
from api.enrollment_views import decision_views, explain_now, found
from api.idempotency import Answer, OnceDep
from api.operation import operation
from api.pagination import DEFAULT_LIMIT, CursorText, Limit, paged, read_cursor
from api.references import reference_to
from api.requests import JsonRoute
from api.routers.journeys import JourneyKey, unknown_journey
from api.schemas import enrollment_examples as examples
from api.schemas.enrollments import (
    Decisions,
    EnrollmentAnswer,
    EnrollmentRequest,
    EnrollmentView,
    ExplanationView,
)
from api.schemas.fields import Page
from crm.access import AuditRepository, Scope
from crm.contacts import ContactRepository
from crm.enrollments import EnrollmentRepository
from crm.journeys import JourneyRepository
from intake.enrollment import AlreadyRunning, Enrolled, EnrollmentResult, NotEnrolled, enroll
from journeys.outcomes import JourneyState
from journeys.values import Key

router = APIRouter(tags=["Enrollments"], route_class=JsonRoute)

_REQUEST = {"contact": {"user_id": "customer-4711"}, "properties": {"product_id": "P-7"}}


@router.post(
    "/v1/journeys/{key}/enrollments",
    **operation(
        Scope.ENROLL,
        problems.UNKNOWN_JOURNEY,
        problems.NOT_FOUND,
        problems.IDEMPOTENCY_KEY_REUSED,
        body=True,
        summary="Start a journey for a contact",
        operation_id="enroll",
        response_model=EnrollmentAnswer,
        example=examples.REFUSED,
        answers={201: {"model": EnrollmentAnswer, "description": "The contact entered."}},
    ),
)
async def start_enrollment(
    key: JourneyKey,
    *,
    request: Annotated[EnrollmentRequest, Body(openapi_examples={"usual": {"value": _REQUEST}})],
    session: SessionDep,
    once: OnceDep,
    clock: ClockDep,
    access: AccessDep,
    settings: SettingsDep,
) -> JSONResponse:
    """Answers 201 `started`, or 200 `already_running` with the enrollment that runs, or 200 `refused` with the reason.

    A contact that does not exist yet is made. A refusal is an answer, not an error: it is kept and will not change by
    trying again at once.
    """
    if request.bypass_again:
        demand_scope(access, Scope.OPERATE, "`bypass_again`")
    reference = reference_to(request.contact)

    async def effect() -> Answer:
        journeys = JourneyRepository(session)
        versions = await journeys.versions(key)
        if not versions:
            raise unknown_journey(key)
        contact_id = (await ContactRepository(session).resolve([reference]))[0]
        version = await journeys.taking(key, contact_id) or versions[0]
        result = await enroll(
            session,
            version,
            contact_id,
            cause_event=None,
            properties=request.properties,
            entry_key=request.entry_key,
            bypass_again=request.bypass_again,
            now=clock(),
            control_group=settings.control_group_percent,
            digest_key=settings.digest_key,
        )
        status, answer = _answer(result)
        if answer.enrollment is not None and status is HTTPStatus.CREATED:
            target = f"enrollment:{answer.enrollment.id}"
            passed_over = answer.enrollment.passed_over
            details = {"passed_over": passed_over} if passed_over else None
            await AuditRepository(session).record(access.actor, "enrollment.start", target, details)
        return status, answer

    return await once(effect)


def _answer(result: EnrollmentResult) -> tuple[HTTPStatus, EnrollmentAnswer]:
    match result:
        case Enrolled(enrollment=enrollment):
            view = EnrollmentView.model_validate(enrollment)
            return HTTPStatus.CREATED, EnrollmentAnswer(result="started", enrollment=view)
        case AlreadyRunning(enrollment=enrollment):
            view = EnrollmentView.model_validate(enrollment)
            return HTTPStatus.OK, EnrollmentAnswer(result="already_running", enrollment=view)
        case NotEnrolled(reason=reason, because=because):
            return HTTPStatus.OK, EnrollmentAnswer(result="refused", reason=reason, because=because)


@router.get(
    "/v1/enrollments",
    **operation(
        Scope.READ,
        summary="List enrollments",
        operation_id="list_enrollments",
        response_model=Page[EnrollmentView],
        example=examples.PAGE,
    ),
)
async def list_enrollments(
    session: SessionDep,
    *,
    journey: Annotated[Key | None, Query(description="Only of this journey.")] = None,
    contact_id: Annotated[UUID | None, Query(description="Only of this contact.")] = None,
    state: Annotated[JourneyState | None, Query(description="Only in this state.")] = None,
    step: Annotated[Key | None, Query(description="Only at this step.")] = None,
    test: Annotated[
        bool | None, Query(description="Only test runs of drafts, or only others; both without it.")
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorText = None,
) -> Page[EnrollmentView]:
    """In the order of their making. All filters given must hold."""
    rows = await EnrollmentRepository(session).page(
        journey=journey,
        contact_id=contact_id,
        state=state,
        step=step,
        test=test,
        after=read_cursor(cursor, UUID),
        limit=limit + 1,
    )
    items, following = paged(rows, limit, lambda row: row.id)
    return Page[EnrollmentView](items=[EnrollmentView.model_validate(row) for row in items], next=following)


@router.get(
    "/v1/enrollments/{enrollment_id}",
    **operation(
        Scope.READ,
        problems.UNKNOWN_ENROLLMENT,
        summary="Read an enrollment",
        operation_id="get_enrollment",
        response_model=EnrollmentView,
        example=examples.ENROLLMENT,
    ),
)
async def get_enrollment(enrollment_id: UUID, session: SessionDep) -> EnrollmentView:
    """Where it stands, as last reported to the database. `explain` asks the running journey itself."""
    return EnrollmentView.model_validate(await found(session, enrollment_id))


@router.get(
    "/v1/enrollments/{enrollment_id}/decisions",
    **operation(
        Scope.READ,
        problems.UNKNOWN_ENROLLMENT,
        summary="Read what was decided",
        operation_id="get_decisions",
        response_model=Decisions,
        example=Decisions(items=[examples.DECISION]),
    ),
)
async def get_decisions(enrollment_id: UUID, session: SessionDep) -> Decisions:
    """Every step that was left: how, why, because of which event, and what followed."""
    enrollment = await found(session, enrollment_id)
    return Decisions(items=decision_views(enrollment, await EnrollmentRepository(session).decisions(enrollment_id)))


@router.get(
    "/v1/enrollments/{enrollment_id}/explain",
    **operation(
        Scope.READ,
        problems.UNKNOWN_ENROLLMENT,
        summary="Explain where an enrollment stands",
        operation_id="explain_enrollment",
        response_model=ExplanationView,
        example=examples.EXPLAINED,
    ),
)
async def explain_enrollment(
    enrollment_id: UUID, sessions: SessionsDep, temporal: TemporalDep, clock: ClockDep, settings: SettingsDep
) -> ExplanationView:
    """Asks the running journey where it is, since when, until when, why and what may come next.

    Where it cannot be asked, the answer is what was last reported to the database, and `note` says so.
    """
    late = clock() - timedelta(minutes=settings.stuck_after_minutes)
    return await explain_now(sessions, temporal, enrollment_id, late=late)
