"""Journeys: store a draft, publish it, read what is live. What a journey may say is decided in `journeys`."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter

from api import problems
from api.authentication import AccessDep
from api.dependencies import SessionDep, SettingsDep
from api.errors import ProblemError
from api.idempotency import Answer, OnceDep
from api.journey_documents import demand_runnable, findings_together, journey_in, request_body
from api.operation import operation
from api.pagination import DEFAULT_LIMIT, CursorText, Limit, paged, read_cursor
from api.requests import JsonRoute
from api.schemas import examples
from api.schemas.fields import Page
from api.schemas.journeys import (
    DraftView,
    JourneyItem,
    JourneyView,
    PublishedView,
    StepCountsView,
    VersionView,
)
from crm.access import AuditRepository, Scope
from crm.enrollments import EnrollmentRepository
from crm.journeys import JourneyRepository, definition_of
from crm.models.journey import JourneyVersion
from journeys.values import Key
from kit.errors import Invalid, Problem

router = APIRouter(tags=["Journeys"], route_class=JsonRoute)
documents = APIRouter(tags=["Journeys"])
"""Operations that read their body themselves."""

JourneyKey = Annotated[Key, Path(description="The journey's key.", examples=["welcome"])]


@documents.put(
    "/v1/journeys/{key}",
    **operation(
        Scope.AUTHOR,
        problems.INVALID_JOURNEY,
        body=True,
        summary="Store a journey as draft",
        operation_id="put_journey",
        response_model=DraftView,
        example=examples.DRAFT,
        openapi_extra={"requestBody": request_body(examples.JOURNEY, examples.JOURNEY_YAML)},
    ),
)
async def put_journey(key: JourneyKey, request: Request, session: SessionDep, access: AccessDep) -> DraftView:
    """Replaces the draft there may be; what is live stays live until the draft is published.

    The body is the journey document, as JSON or YAML. With errors nothing is stored and every finding is listed.
    """
    sent = await journey_in(request)
    if sent.journey.key != key:
        what = f"The document says '{sent.journey.key}', the address '{key}'."
        problem = Problem(sent.places(["key"]), what, "Make them the same.")
        raise Invalid(problem.what, problems=[problem], remedy=problem.remedy)
    warnings = await demand_runnable(session, sent.journey, sent.places)
    draft = await JourneyRepository(session).put_draft(sent.journey)
    await AuditRepository(session).record(access.actor, "journey.drafted", f"journey:{key}", {"version": draft.version})
    return DraftView(key=key, draft=version_view(draft), findings=warnings)


@router.post(
    "/v1/journeys/{key}/publish",
    **operation(
        Scope.AUTHOR,
        problems.UNKNOWN_JOURNEY,
        problems.INVALID_JOURNEY,
        problems.CONFLICT,
        problems.IDEMPOTENCY_KEY_REUSED,
        summary="Publish the draft",
        operation_id="publish_journey",
        response_model=PublishedView,
        example=examples.PUBLISHED,
    ),
)
async def publish_journey(
    key: JourneyKey, session: SessionDep, settings: SettingsDep, once: OnceDep, access: AccessDep
) -> JSONResponse:
    """The draft becomes live and takes new contacts; those inside the version before finish in that version.

    Publishing an unchanged definition makes no new version. Two publications at once are one after the other. What is
    doubtful about the journey beside the other live ones is told, and keeps nothing from being published.
    """

    async def effect() -> Answer:
        journeys = JourneyRepository(session)
        draft = await journeys.draft(key)
        if draft is None and not await journeys.versions(key):
            raise unknown_journey(key)
        if draft is not None:
            await demand_runnable(session, definition_of(draft))
        live = await journeys.publish(key, by=access.actor)
        findings = await findings_together(session, key, weekly_cap=settings.weekly_cap)
        return HTTPStatus.OK, PublishedView(key=key, live=version_view(live), findings=findings)

    return await once(effect)


@router.get(
    "/v1/journeys",
    **operation(
        Scope.READ,
        summary="List journeys",
        operation_id="list_journeys",
        response_model=Page[JourneyItem],
        example=examples.JOURNEYS,
    ),
)
async def list_journeys(
    session: SessionDep, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None
) -> Page[JourneyItem]:
    """In the order of their keys."""
    after = read_cursor(cursor, TypeAdapter[str](Key).validate_python)
    rows = await JourneyRepository(session).page(after=after, limit=limit + 1)
    items, following = paged(rows, limit, lambda row: row.key)
    return Page[JourneyItem](items=[JourneyItem.model_validate(row) for row in items], next=following)


@router.get(
    "/v1/journeys/{key}",
    **operation(
        Scope.READ,
        problems.UNKNOWN_JOURNEY,
        summary="Read a journey",
        operation_id="get_journey",
        response_model=JourneyView,
        example=examples.JOURNEY_READ,
    ),
)
async def get_journey(key: JourneyKey, session: SessionDep) -> JourneyView:
    """What is live, what is being written, and per step of the live version what became of the contacts."""
    versions = await JourneyRepository(session).versions(key)
    if not versions:
        raise unknown_journey(key)
    by_state = {version.state: version_view(version) for version in versions}
    live = by_state.get("live")
    counts = await EnrollmentRepository(session).counts(key, live.version) if live else {}
    return JourneyView(
        key=key,
        live=live,
        draft=by_state.get("draft"),
        counts={step: StepCountsView.model_validate(count) for step, count in counts.items()},
    )


def unknown_journey(key: str) -> ProblemError:
    """The problem of a journey that does not exist."""
    return ProblemError(
        problems.UNKNOWN_JOURNEY, f"There is no journey '{key}'. GET /v1/journeys lists the journeys there are."
    )


def version_view(version: JourneyVersion) -> VersionView:
    """A stored version as it is answered."""
    return VersionView.model_validate(version)
