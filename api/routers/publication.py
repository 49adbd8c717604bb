"""Publishing: look ahead, publish, try with a share, promote, roll back, and move those inside older versions."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse

from api import problems
from api.authentication import AccessDep
from api.dependencies import ClockDep, SessionDep, SettingsDep
from api.idempotency import Answer, OnceDep
from api.journey_documents import demand_runnable, findings_together, passed_moments
from api.operation import operation
from api.pagination import DEFAULT_LIMIT, CursorText, Limit, paged, read_cursor
from api.problems import ProblemType
from api.publication_views import move_view, outlook_view, published_view
from api.requests import JsonRoute
from api.routers.journeys import JourneyKey, unknown_journey
from api.schemas import publication_examples as examples
from api.schemas.fields import Page, sequence_number
from api.schemas.publication import (
    MoveRequest,
    MoveView,
    OutlookView,
    PublishedView,
    PublishRequest,
    TreatmentRequest,
)
from crm.access import Scope
from crm.journeys import JourneyRepository, definition_of
from crm.publication import Publication, PublicationRepository
from journeys.plan import compile_plan
from kit.errors import Conflict
from messaging.pins import TemplatePins

router = APIRouter(tags=["Journeys"], route_class=JsonRoute)

Publishing = Annotated[PublishRequest | None, Body(openapi_examples=examples.PUBLISHING)]
Treating = Annotated[TreatmentRequest | None, Body(openapi_examples=examples.TREATING)]
Moving = Annotated[MoveRequest, Body(openapi_examples=examples.MOVING)]


def _changing(summary: str, operation_id: str, *further: ProblemType, **more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"response_model": PublishedView, "example": examples.PUBLISHED}
    return operation(
        Scope.AUTHOR,
        problems.UNKNOWN_JOURNEY,
        problems.CONFLICT,
        problems.IDEMPOTENCY_KEY_REUSED,
        *further,
        body=True,
        summary=summary,
        operation_id=operation_id,
        **{**usual, **more},
    )


@router.post(
    "/v1/journeys/{key}/publish", **_changing("Publish the draft", "publish_journey", problems.INVALID_JOURNEY)
)
async def publish_journey(
    key: JourneyKey,
    *,
    session: SessionDep,
    settings: SettingsDep,
    clock: ClockDep,
    once: OnceDep,
    access: AccessDep,
    request: Publishing = None,
) -> JSONResponse:
    """The draft becomes live and takes new contacts, or with `share` that percentage of them, on trial.

    Those inside the version before finish in it, unless `inside` says otherwise. Migrating is refused while a step that
    the draft does not have holds contacts for whom no target is mapped. Publishing an unchanged definition makes no new
    version; the live one then sends the newest templates, if they fit. Two publications at once come one after the
    other. What is doubtful about it beside the other live ones is told, and keeps nothing from being published.
    """
    asked = request or PublishRequest()

    async def effect() -> Answer:
        draft = await JourneyRepository(session).draft(key)
        await _known(session, key)
        definition = definition_of(draft) if draft is not None else None
        if definition is not None:
            await demand_runnable(session, definition, all_known=True)
        publication = await PublicationRepository(session).publish(
            key, by=access.actor, treatment=asked.treatment(), share=asked.share, now=clock()
        )
        await TemplatePins(session).published(publication, by=access.actor)
        findings = await findings_together(session, key, weekly_cap=settings.weekly_cap)
        passed = passed_moments(definition, clock()) if definition is not None else []
        return HTTPStatus.OK, await published_view(session, key, publication, passed + findings)

    return await once(effect)


@router.post(
    "/v1/journeys/{key}/publish/plan",
    **operation(
        Scope.AUTHOR,
        problems.UNKNOWN_JOURNEY,
        problems.CONFLICT,
        body=True,
        summary="Look ahead of a publication",
        operation_id="plan_publication",
        response_model=OutlookView,
        example=examples.OUTLOOK,
    ),
)
async def plan_publication(
    key: JourneyKey, *, session: SessionDep, clock: ClockDep, request: Treating = None
) -> OutlookView:
    """What would become of those inside the live version if the draft took its place. Nothing is changed.

    Tells how many stand at which step, where they would go on, and which running timers would move from when to when,
    with the mapping and the timers of the body; the numbers are told for each treatment. Also how many contacts fit the
    entry already, whom its `backfill` lets in or not. A draft that says what the version on trial says is that version,
    which would be promoted.
    """
    await _known(session, key)
    draft = await JourneyRepository(session).draft(key)
    if draft is None:
        raise Conflict(f"Journey {key} has no draft to publish.", remedy="Put a definition first.")
    treatment = (request or TreatmentRequest()).treatment()
    repository = PublicationRepository(session)
    journey = definition_of(draft)
    coming = await repository.coming(journey)
    outlook = await repository.outlook(key, compile_plan(journey, coming.version), treatment, clock())
    return outlook_view(key, coming, outlook, await repository.fitting_already(journey, clock()))


@router.post("/v1/journeys/{key}/promote", **_changing("Promote the version on trial", "promote_version"))
async def promote_version(
    key: JourneyKey,
    *,
    session: SessionDep,
    clock: ClockDep,
    once: OnceDep,
    access: AccessDep,
    request: Publishing = None,
) -> JSONResponse:
    """It takes all new contacts from now on, or with `share` another percentage of them."""
    asked = request or PublishRequest()

    async def effect() -> Publication:
        return await PublicationRepository(session).promote(
            key, by=access.actor, treatment=asked.treatment(), share=asked.share, now=clock()
        )

    return await once(_answered(session, key, effect))


@router.post("/v1/journeys/{key}/rollback", **_changing("Go back to the version before", "roll_back_version"))
async def roll_back_version(
    key: JourneyKey,
    *,
    session: SessionDep,
    clock: ClockDep,
    once: OnceDep,
    access: AccessDep,
    request: Treating = None,
) -> JSONResponse:
    """The version on trial, or else the live one, takes no new contacts any more; the one before takes them again.

    `inside` says what becomes of those inside the version given up: they finish in it, migrate back, or stop.
    """
    asked = request or TreatmentRequest()

    async def effect() -> Publication:
        return await PublicationRepository(session).rollback(
            key, by=access.actor, treatment=asked.treatment(), now=clock()
        )

    return await once(_answered(session, key, effect))


@router.post(
    "/v1/journeys/{key}/moves",
    **_changing(
        "Move those inside an older version",
        "move_contacts",
        problems.NOT_FOUND,
        response_model=MoveView,
        example=examples.MOVE,
        status_code=HTTPStatus.ACCEPTED,
    ),
)
async def move_contacts(
    key: JourneyKey, *, session: SessionDep, clock: ClockDep, once: OnceDep, access: AccessDep, request: Moving
) -> JSONResponse:
    """To the live version, or out. The order is kept in the database and carried out contact by contact."""

    async def effect() -> Answer:
        await _known(session, key)
        publication = await PublicationRepository(session).move(
            key, request.from_, by=access.actor, treatment=request.treatment(), now=clock()
        )
        assert publication.move is not None  # only `finish` orders none, and it cannot be asked for here
        return HTTPStatus.ACCEPTED, move_view(publication.move)

    return await once(effect)


@router.get(
    "/v1/journeys/{key}/moves",
    **operation(
        Scope.READ,
        problems.UNKNOWN_JOURNEY,
        summary="List moves between versions",
        operation_id="list_moves",
        response_model=Page[MoveView],
        example=examples.MOVES,
    ),
)
async def list_moves(
    key: JourneyKey, session: SessionDep, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None
) -> Page[MoveView]:
    """Newest first, each with how far it has come."""
    await _known(session, key)
    before = read_cursor(cursor, sequence_number)
    rows = await PublicationRepository(session).moves(key, before=before, limit=limit + 1)
    items, following = paged(rows, limit, lambda move: move.id)
    return Page[MoveView](items=[move_view(move) for move in items], next=following)


def _answered(
    session: SessionDep, key: str, change: Callable[[], Awaitable[Publication]]
) -> Callable[[], Awaitable[Answer]]:
    async def effect() -> Answer:
        await _known(session, key)
        return HTTPStatus.OK, await published_view(session, key, await change(), [])

    return effect


async def _known(session: SessionDep, key: str) -> None:
    if not await JourneyRepository(session).versions(key):
        raise unknown_journey(key)
