"""Answers to "why did (not) this contact get this mail?": the contact's messages, and entries that were refused."""

from uuid import UUID

from fastapi import APIRouter

from api import problems
from api.dependencies import SessionDep
from api.operation import operation
from api.pagination import DEFAULT_LIMIT, CursorText, Limit, paged, read_cursor
from api.requests import JsonRoute
from api.routers.contacts import existing
from api.schemas import answers as examples
from api.schemas.answers import MessageView, RefusalView
from api.schemas.fields import Page, sequence_number
from crm.access import Scope
from crm.tryouts import TryoutRepository
from intake.refusals import refusals_of
from messaging.history import messages_of
from messaging.holding import held_back
from messaging.models import HeldMessage, MessageRecord

router = APIRouter(tags=["Contacts"], route_class=JsonRoute)


@router.get(
    "/v1/contacts/{contact_id}/messages",
    **operation(
        Scope.READ,
        problems.UNKNOWN_CONTACT,
        summary="Read what was sent to a contact, or not, and why",
        operation_id="get_contact_messages",
        response_model=Page[MessageView],
        example=examples.MESSAGES,
    ),
)
async def get_contact_messages(
    contact_id: UUID, session: SessionDep, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None
) -> Page[MessageView]:
    """Messages, newest first: handed over, refused with a reason, of unknown fate, or held back.

    A message is held back for the send window, the contact's quiet hours or the frequency cap; `until` says when its
    turn is to come.
    """
    await existing(session, contact_id)
    before = read_cursor(cursor, UUID)
    known = await messages_of(session, contact_id, before=before, limit=limit + 1)
    waiting = await held_back(session, contact_id, before=before, limit=limit + 1)
    rows: list[MessageRecord | HeldMessage] = [*known, *waiting]
    rows.sort(key=lambda row: row.id, reverse=True)
    items, following = paged(rows[: limit + 1], limit, lambda row: row.id)
    tests = await TryoutRepository(session).tests_of(contact_id)
    return Page[MessageView](
        items=[MessageView.of(row, test=row.enrollment_id in tests) for row in items], next=following
    )


@router.get(
    "/v1/contacts/{contact_id}/refusals",
    **operation(
        Scope.READ,
        problems.UNKNOWN_CONTACT,
        summary="Read which journeys a contact was not let into, and why",
        operation_id="get_contact_refusals",
        response_model=Page[RefusalView],
        example=examples.REFUSALS,
    ),
)
async def get_contact_refusals(
    contact_id: UUID, session: SessionDep, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None
) -> Page[RefusalView]:
    """Entries that were refused, newest first, with the event that would have been the entry."""
    await existing(session, contact_id)
    rows = await refusals_of(session, contact_id, before=read_cursor(cursor, sequence_number), limit=limit + 1)
    items, following = paged(rows, limit, lambda row: row.id)
    return Page[RefusalView](items=[RefusalView.model_validate(row) for row in items], next=following)
