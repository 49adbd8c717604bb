"""Drafts tried before they are published: who is a test user, and putting one into a draft."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse

from api import problems
from api.authentication import AccessDep
from api.dependencies import ClockDep, SessionDep
from api.errors import ProblemError
from api.idempotency import Answer, OnceDep
from api.journey_documents import demand_runnable
from api.operation import operation
from api.references import reference_to
from api.requests import JsonRoute
from api.routers.contacts import existing
from api.routers.journeys import JourneyKey, unknown_journey
from api.schemas import contact_examples, tryouts
from api.schemas.contacts import ContactView
from api.schemas.enrollments import EnrollmentView
from api.schemas.tryouts import TryoutAnswer, TryoutRequest
from crm.access import AuditRepository, Scope
from crm.contacts import ContactRepository
from crm.journeys import JourneyRepository, definition_of
from crm.models.journey import JourneyVersion
from crm.tryouts import TryoutRepository
from intake.tryouts import NotTried, Trying, TryoutRefusal, try_draft
from kit.errors import Conflict

router = APIRouter(tags=["Test users"], route_class=JsonRoute)
_EXAMPLE = contact_examples.CONTACT.model_copy(update={"test_user": True})


@router.put(
    "/v1/contacts/{contact_id}/test-user",
    **operation(
        Scope.OPERATE,
        problems.UNKNOWN_CONTACT,
        problems.CONFLICT,
        summary="Make a contact a test user",
        operation_id="make_test_user",
        response_model=ContactView,
        example=_EXAMPLE,
    ),
)
async def make_test_user(contact_id: UUID, session: SessionDep, access: AccessDep) -> ContactView:
    """It may be put into drafts from now on, at the mail address it has now: with another address it is none any more.

    Refused (409) for a contact without a mail address.
    """
    return await _mark(session, access, contact_id, test_user=True)


@router.delete(
    "/v1/contacts/{contact_id}/test-user",
    **operation(
        Scope.OPERATE,
        problems.UNKNOWN_CONTACT,
        summary="Have a contact be no test user any more",
        operation_id="end_test_user",
        response_model=ContactView,
        example=contact_examples.CONTACT,
    ),
)
async def end_test_user(contact_id: UUID, session: SessionDep, access: AccessDep) -> ContactView:
    """Test runs it is in go on, and send it nothing any more."""
    return await _mark(session, access, contact_id, test_user=False)


async def _mark(session: SessionDep, access: AccessDep, contact_id: UUID, *, test_user: bool) -> ContactView:
    await existing(session, contact_id)
    contact = await TryoutRepository(session).mark(contact_id, test_user=test_user)
    action = "contact.test_user" if test_user else "contact.no_test_user"
    await AuditRepository(session).record(access.actor, action, f"contact:{contact_id}")
    return ContactView.model_validate(contact)


@router.post(
    "/v1/journeys/{key}/draft/enrollments",
    **operation(
        Scope.AUTHOR,
        problems.UNKNOWN_JOURNEY,
        problems.UNKNOWN_CONTACT,
        problems.CONFLICT,
        problems.INVALID_JOURNEY,
        problems.IDEMPOTENCY_KEY_REUSED,
        body=True,
        summary="Put a test user into the draft",
        operation_id="try_draft",
        response_model=TryoutAnswer,
        example=TryoutAnswer(
            result="refused",
            reason=TryoutRefusal.NOT_A_TEST_USER,
            because="the contact is no test user: nobody has made it one",
        ),
        answers={201: {"model": TryoutAnswer, "description": "The test user entered."}},
    ),
)
async def put_into_draft(
    key: JourneyKey,
    *,
    request: Annotated[TryoutRequest, Body(openapi_examples={"usual": {"value": tryouts.REQUEST}})],
    session: SessionDep,
    once: OnceDep,
    clock: ClockDep,
    access: AccessDep,
) -> JSONResponse:
    """Answers 201 `started`, or 200 `already_running` with the test run that is on, or 200 `refused` with the reason.

    A real enrollment in a real workflow that sends real mails, to test users only, with the draft and the newest
    templates as they are now: whatever becomes of the draft, the test run keeps them. Entry, audience and re-entry are
    not asked; consent and suppressions are. What counts contacts counts no test run.
    """

    async def effect() -> Answer:
        draft = await _draft(session, key)
        contact = await ContactRepository(session).find(reference_to(request.contact))
        if contact is None:
            raise ProblemError(problems.UNKNOWN_CONTACT, "There is no such contact. Identify it first.")
        await demand_runnable(session, definition_of(draft), all_known=True)
        found = await try_draft(session, draft, contact.id, request.tryout(), by=access.actor, now=clock())
        return _answer(found)

    return await once(effect)


async def _draft(session: SessionDep, key: str) -> JourneyVersion:
    """The draft, which stays as it is until the transaction ends."""
    journeys = JourneyRepository(session)
    await journeys.hold([key])
    draft = await journeys.draft(key)
    if draft is not None:
        return draft
    if not await journeys.versions(key):
        raise unknown_journey(key)
    raise Conflict(
        f"Journey {key} has no draft to try.",
        remedy="Put a definition first; what is live is entered with POST /v1/journeys/{key}/enrollments.",
    )


def _answer(found: Trying | NotTried) -> Answer:
    if isinstance(found, NotTried):
        return HTTPStatus.OK, TryoutAnswer(result="refused", reason=found.reason, because=found.because)
    view = EnrollmentView.model_validate(found.enrollment)
    if found.begun:
        return HTTPStatus.CREATED, TryoutAnswer(result="started", enrollment=view)
    return HTTPStatus.OK, TryoutAnswer(result="already_running", enrollment=view)
