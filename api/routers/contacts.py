"""Contacts: write one, find one, read what happened to it. Consent and suppression are in `api.routers.consents`."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api import problems
from api.acceptance import API, new_event_id
from api.dependencies import ClockDep, SessionDep
from api.errors import ProblemError
from api.operation import operation
from api.pagination import DEFAULT_LIMIT, CursorText, Limit, paged, read_cursor
from api.references import demand_usable, reference_to
from api.requests import JsonRoute
from api.schemas import contact_examples as examples
from api.schemas.contacts import (
    ContactDetail,
    ContactInput,
    ContactView,
    ContactWritten,
    NameView,
    ScoresView,
    ScoreView,
)
from api.schemas.enrollments import EnrollmentView
from api.schemas.fields import Page, PlainName, sequence_number
from api.schemas.tracking import ContactNames, EventItem, FollowsFrom
from crm.access import Scope
from crm.aliases import names_of
from crm.contacts import ContactRepository
from crm.enrollments import EnrollmentRepository
from crm.events import DERIVED, EventRepository, NewEvent
from crm.models.contact import Contact
from crm.models.event import Event
from crm.scoring import ScoringRepository
from journeys.causes import origin_of

router = APIRouter(tags=["Contacts"], route_class=JsonRoute)

UPDATED = "contact.updated"


def _read(summary: str, name: str, model: Any, example: Any) -> dict[str, Any]:
    return operation(
        Scope.READ,
        problems.UNKNOWN_CONTACT,
        summary=summary,
        operation_id=name,
        response_model=model,
        example=example,
    )


@router.put(
    "/v1/contacts",
    **operation(
        Scope.TRACK,
        problems.NOT_FOUND,
        body=True,
        summary="Make a contact or change it",
        operation_id="put_contact",
        response_model=ContactWritten,
        example=examples.WRITTEN,
        answers={201: {"model": ContactWritten, "description": "The contact was made."}},
    ),
)
async def put_contact(
    request: Annotated[ContactInput, Body(openapi_examples={"usual": {"value": examples.REQUEST}})],
    session: SessionDep,
    clock: ClockDep,
    response: Response,
) -> ContactWritten:
    """Finds the contact by the names given, or makes it, and writes the traits. Traits not named stay as they are.

    All traits are written or none. Where something changed, the event `contact.updated` tells journeys.
    """
    demand_usable(request.traits)
    reference = reference_to(request, at="")
    contacts = ContactRepository(session)
    created = await contacts.find(reference) is None
    contact_id = (await contacts.resolve([reference]))[0]
    report = await contacts.apply_traits(contact_id, request.traits)
    changed = sorted(report.changed)
    if changed:
        event = NewEvent(
            event_id=new_event_id(),
            contact_id=contact_id,
            name=UPDATED,
            properties={"changed": changed},
            occurred_at=clock(),
            source=API,
        )
        await EventRepository(session).accept([event])
    response.status_code = HTTPStatus.CREATED if created else HTTPStatus.OK
    view = ContactView.model_validate(await existing(session, contact_id))
    return ContactWritten(created=created, changed=changed, contact=view)


@router.get(
    "/v1/contacts",
    **operation(
        Scope.READ,
        summary="List contacts, or find one by a name",
        operation_id="list_contacts",
        response_model=Page[ContactView],
        example=examples.CONTACTS,
    ),
)
async def list_contacts(
    session: SessionDep,
    *,
    user_id: Annotated[PlainName | None, Query(description="Your own id of the contact.")] = None,
    anonymous_id: Annotated[PlainName | None, Query()] = None,
    email: Annotated[PlainName | None, Query(description="Compared in lower case.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorText = None,
) -> Page[ContactView]:
    """With a name, the page holds the contact it leads to, or nobody. Without one, all in the order of their making."""
    if user_id or anonymous_id or email:
        names = ContactNames(user_id=user_id, anonymous_id=anonymous_id, email=email)
        contact = await ContactRepository(session).find(reference_to(names, at="query parameter"))
        return Page[ContactView](items=[ContactView.model_validate(contact)] if contact else [], next=None)
    rows = await ContactRepository(session).page(after=read_cursor(cursor, UUID), limit=limit + 1)
    items, following = paged(rows, limit, lambda row: row.id)
    return Page[ContactView](items=[ContactView.model_validate(row) for row in items], next=following)


@router.get("/v1/contacts/{contact_id}", **_read("Read a contact", "get_contact", ContactDetail, examples.DETAIL))
async def get_contact(contact_id: UUID, session: SessionDep) -> ContactDetail:
    """What is known of the contact, and by which names."""
    contact = ContactView.model_validate(await existing(session, contact_id))
    names = [NameView.model_validate(name) for name in await names_of(session, contact_id)]
    return ContactDetail(**contact.model_dump(), names=names)


@router.get(
    "/v1/contacts/{contact_id}/events",
    **_read("Read what happened to a contact", "get_contact_events", Page[EventItem], examples.EVENTS),
)
async def get_contact_events(
    contact_id: UUID, session: SessionDep, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None
) -> Page[EventItem]:
    """The contact's events, newest received first."""
    await existing(session, contact_id)
    before = read_cursor(cursor, sequence_number)
    rows = await EventRepository(session).page(contact_id, before_sequence=before, limit=limit + 1)
    items, following = paged(rows, limit, lambda row: row.sequence)
    return Page[EventItem](items=[_event(row) for row in items], next=following)


def _event(event: Event) -> EventItem:
    origin = origin_of(event.event_id, event.name) if event.source == DERIVED else None
    item = EventItem.model_validate(event)
    return item if origin is None else item.model_copy(update={"follows_from": FollowsFrom.model_validate(origin)})


@router.get(
    "/v1/contacts/{contact_id}/enrollments",
    **_read(
        "Read a contact's enrollments",
        "get_contact_enrollments",
        Page[EnrollmentView],
        examples.ENROLLMENTS,
    ),
)
async def get_contact_enrollments(
    contact_id: UUID, session: SessionDep, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None
) -> Page[EnrollmentView]:
    """Every journey the contact is or was in, in the order of entry."""
    await existing(session, contact_id)
    after = read_cursor(cursor, UUID)
    rows = await EnrollmentRepository(session).page(contact_id=contact_id, after=after, limit=limit + 1)
    items, following = paged(rows, limit, lambda row: row.id)
    return Page[EnrollmentView](items=[EnrollmentView.model_validate(row) for row in items], next=following)


@router.get(
    "/v1/contacts/{contact_id}/score",
    **_read("Read a contact's score and its reasons", "get_contact_score", ScoresView, examples.SCORES),
)
async def get_contact_score(contact_id: UUID, session: SessionDep) -> ScoresView:
    """Points per model, and the entries they are the sum of, oldest first."""
    await existing(session, contact_id)
    explained = await ScoringRepository(session).explain(contact_id)
    return ScoresView(items=[ScoreView.model_validate(one) for one in explained])


async def existing(session: AsyncSession, contact_id: UUID) -> Contact:
    """The contact. Raises `ProblemError` (404) where there is none."""
    contact = await ContactRepository(session).get(contact_id)
    if contact is None:
        raise ProblemError(problems.UNKNOWN_CONTACT, f"There is no contact {contact_id}. PUT /v1/contacts makes one.")
    return contact
