"""Journeys: store a draft, read what is live. Publishing is in `api.routers.publication`."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import TypeAdapter

from api import problems
from api.authentication import AccessDep
from api.dependencies import ClockDep, SessionDep
from api.errors import ProblemError
from api.journey_documents import demand_runnable, journey_in, request_body
from api.operation import operation
from api.pagination import DEFAULT_LIMIT, CursorText, Limit, paged, read_cursor
from api.requests import JsonRoute
from api.schemas import examples
from api.schemas.fields import Page
from api.schemas.journeys import (
    DraftView,
    JourneyItem,
    JourneyView,
    StepCountsView,
    VersionItem,
    VersionView,
)
from crm.access import AuditRepository, Scope
from crm.enrollments import EnrollmentRepository
from crm.journeys import JourneyRepository
from crm.models.journey import JourneyVersion
from crm.publication import PublicationRepository
from crm.steering import SteeringRepository
from journeys.model import GoalType
from journeys.stages import Stage
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
async def put_journey(
    key: JourneyKey, request: Request, session: SessionDep, access: AccessDep, clock: ClockDep
) -> DraftView:
    """Replaces the draft there may be; what is live stays live until the draft is published.

    The body is the journey document, as JSON or YAML. With errors nothing is stored and every finding is listed.
    """
    sent = await journey_in(request)
    if sent.journey.key != key:
        what = f"The document says '{sent.journey.key}', the address '{key}'."
        problem = Problem(sent.places(["key"]), what, "Make them the same.")
        raise Invalid(problem.what, problems=[problem], remedy=problem.remedy)
    warnings = await demand_runnable(session, sent.journey, sent.places, now=clock())
    draft = await JourneyRepository(session).put_draft(sent.journey)
    await AuditRepository(session).record(access.actor, "journey.drafted", f"journey:{key}", {"version": draft.version})
    return DraftView(key=key, draft=version_view(draft), findings=warnings)


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
    session: SessionDep,
    *,
    stage: Annotated[Stage | None, Query(description="Only those for this lifecycle stage.")] = None,
    goal_type: Annotated[GoalType | None, Query(description="Only those with a goal of this type.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorText = None,
) -> Page[JourneyItem]:
    """In the order of their keys, filed as the live version says, or else the newest."""
    after = read_cursor(cursor, TypeAdapter[str](Key).validate_python)
    rows = await JourneyRepository(session).page(stage=stage, goal_type=goal_type, after=after, limit=limit + 1)
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
    """What is live, on trial and being written, and how many contacts are inside each version.

    Per step of the live version it tells what became of those who reached it.
    """
    versions = await JourneyRepository(session).versions(key)
    if not versions:
        raise unknown_journey(key)
    by_state = {version.state: version_view(version) for version in versions if version.share is None}
    trial = next((version_view(version) for version in versions if version.share is not None), None)
    live = by_state.get("live")
    inside = await PublicationRepository(session).inside(key)
    counts = await EnrollmentRepository(session).counts(key, live.version) if live else {}
    return JourneyView(
        key=key,
        paused_at=await SteeringRepository(session).paused_since(key),
        live=live,
        trial=trial,
        draft=by_state.get("draft"),
        versions=[
            VersionItem(version=one.version, state=one.state, share=one.share, inside=inside.get(one.version, 0))
            for one in versions
        ],
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
