"""What contacts agreed to, and addresses nothing may be sent to."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse

from api import problems
from api.acceptance import API, new_event_id
from api.authentication import AccessDep
from api.dependencies import ClockDep, SessionDep, SettingsDep
from api.idempotency import Answer, OnceDep
from api.operation import operation
from api.requests import JsonRoute
from api.routers.contacts import existing
from api.schemas import contact_examples as examples
from api.schemas.contacts import (
    ConsentAnswer,
    ConsentInput,
    ConsentsView,
    ConsentView,
    LiftAnswer,
    StandingView,
    SuppressionAnswer,
    SuppressionInput,
)
from crm.access import Scope
from crm.consent import ConsentRepository
from crm.events import EventRepository, NewEvent
from intake.suppression import lift_as_ordered, suppress_as_ordered

router = APIRouter(tags=["Contacts"], route_class=JsonRoute)


@router.get(
    "/v1/contacts/{contact_id}/consents",
    **operation(
        Scope.READ,
        problems.UNKNOWN_CONTACT,
        summary="Read what a contact agreed to",
        operation_id="get_consents",
        response_model=ConsentsView,
        example=examples.CONSENTS,
    ),
)
async def get_consents(contact_id: UUID, session: SessionDep) -> ConsentsView:
    """What stands now, and every declaration with its proof, newest first."""
    await existing(session, contact_id)
    consents = ConsentRepository(session)
    history = [ConsentView.model_validate(row) for row in await consents.history(contact_id)]
    return ConsentsView(standing=_standing(await consents.standing(contact_id)), history=history)


@router.post(
    "/v1/contacts/{contact_id}/consents",
    **operation(
        Scope.TRACK,
        problems.UNKNOWN_CONTACT,
        problems.IDEMPOTENCY_KEY_REUSED,
        body=True,
        summary="Record what a contact declared",
        operation_id="record_consent",
        response_model=ConsentAnswer,
        status_code=HTTPStatus.CREATED,
        example=examples.CONSENT_ANSWER,
    ),
)
async def record_consent(
    contact_id: UUID,
    request: Annotated[ConsentInput, Body(openapi_examples={"usual": {"value": examples.CONSENT_REQUEST}})],
    *,
    session: SessionDep,
    once: OnceDep,
    clock: ClockDep,
) -> JSONResponse:
    """Counts from the answer on: a withdrawal stops the next mail. Journeys hear of it by the event.

    The event is `consent.granted` or `consent.withdrawn`; a withdrawal ends what rests on that consent.
    """

    async def effect() -> Answer:
        await existing(session, contact_id)
        occurred_at = request.occurred_at or clock()
        event_id = new_event_id()
        declared = request.model_dump(mode="json", include={"purpose", "channel", "wording"}, exclude_none=True)
        consents = ConsentRepository(session)
        changed = await consents.record(
            contact_id,
            purpose=request.purpose,
            channel=request.channel,
            state=request.state,
            source=request.source,
            wording=request.wording,
            evidence={**request.evidence, "event_id": event_id},
            occurred_at=occurred_at,
        )
        event = NewEvent(
            event_id=event_id,
            contact_id=contact_id,
            name=f"consent.{request.state}",
            properties=declared,
            occurred_at=occurred_at,
            source=API,
        )
        await EventRepository(session).accept([event])
        standing = _standing(await consents.standing(contact_id))
        return HTTPStatus.CREATED, ConsentAnswer(changed=changed, standing=standing)

    return await once(effect)


@router.post(
    "/v1/suppressions",
    **operation(
        Scope.OPERATE,
        problems.IDEMPOTENCY_KEY_REUSED,
        body=True,
        summary="Never send to an address again",
        operation_id="suppress",
        response_model=SuppressionAnswer,
        status_code=HTTPStatus.CREATED,
        example=examples.SUPPRESSED,
    ),
)
async def suppress(
    request: Annotated[SuppressionInput, Body(openapi_examples={"usual": {"value": examples.SUPPRESSION_REQUEST}})],
    *,
    session: SessionDep,
    once: OnceDep,
    settings: SettingsDep,
    access: AccessDep,
) -> JSONResponse:
    """Holds for messages of every class. The address itself is not kept, only a keyed digest of it.

    Running journeys of its contact end at once where messages lie ahead and all of them would go to it.
    """

    async def effect() -> Answer:
        added = await suppress_as_ordered(
            session,
            settings.digest_key,
            request.channel,
            request.address,
            reason=request.reason,
            by=access.actor,
        )
        return HTTPStatus.CREATED, SuppressionAnswer(added=added)

    return await once(effect)


@router.post(
    "/v1/suppressions/lift",
    **operation(
        Scope.OPERATE,
        problems.IDEMPOTENCY_KEY_REUSED,
        body=True,
        summary="Take an address off the suppression list",
        operation_id="lift_suppression",
        response_model=LiftAnswer,
        example=examples.LIFTED,
    ),
)
async def lift(
    request: Annotated[SuppressionInput, Body(openapi_examples={"usual": {"value": examples.LIFT_REQUEST}})],
    *,
    session: SessionDep,
    once: OnceDep,
    settings: SettingsDep,
    access: AccessDep,
) -> JSONResponse:
    """It may be written to again, as consents allow. No journey is entered or taken up again by it.

    The address is in the body, not in the path: what is in a path is in logs.
    """

    async def effect() -> Answer:
        removed = await lift_as_ordered(
            session,
            settings.digest_key,
            request.channel,
            request.address,
            reason=request.reason,
            by=access.actor,
        )
        return HTTPStatus.OK, LiftAnswer(removed=removed)

    return await once(effect)


def _standing(found: frozenset[tuple[str, str]]) -> list[StandingView]:
    return [StandingView(purpose=purpose, channel=channel) for purpose, channel in sorted(found)]
