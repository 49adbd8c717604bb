"""Accepting events: their contacts found or made, then all of them stored and queued, in the request's transaction.

What an event sets off is decided in `intake`, after the request was answered.
"""

import uuid
from collections.abc import Callable, Sequence
from http import HTTPStatus
from itertools import groupby
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncSession

from api import problems
from api.dependencies import ClockDep, SessionDep
from api.errors import ProblemError
from api.idempotency import Answer, Once, OnceDep
from api.schemas.tracking import Accepted, AnyCall, Batch
from api.segment import Occurrence, findings, oversized, read_call
from crm.aliases import alias
from crm.contacts import ContactReference, ContactRepository
from crm.events import EventRepository, NewEvent
from kit.clock import Clock
from kit.errors import Invalid

SEGMENT = "segment"
API = "api"


def new_event_id() -> str:
    """An id for an event that came without one."""
    return str(uuid.uuid4())


class Tracking:
    """Accepts the Segment calls of one request."""

    def __init__(self, session: AsyncSession, once: Once, clock: Clock) -> None:
        self._session = session
        self._once = once
        self._clock = clock

    async def accept(self, calls: Sequence[AnyCall], envelope: Batch | None = None) -> JSONResponse:
        """Accept all of the calls or none. Raises a problem that names each call at fault."""
        at: Callable[[int], str] = (lambda number: f"/batch/{number}") if envelope else (lambda _: "")
        if too_large := list(oversized(calls, at=at)):
            detail = f"{too_large[0].where}: {too_large[0].what}"
            raise ProblemError(problems.BODY_TOO_LARGE, detail, errors=too_large)
        if found := list(findings(calls, at=at)):
            raise Invalid(f"{found[0].where}: {found[0].what} Nothing was accepted.", problems=found)
        now = self._clock()

        async def effect() -> Answer:
            occurrences = [read_call(call, now=now, new_id=new_event_id, envelope=envelope) for call in calls]
            await accept_occurrences(self._session, occurrences)
            return HTTPStatus.OK, Accepted()

        return await self._once(effect)


def tracking(session: SessionDep, once: OnceDep, clock: ClockDep) -> Tracking:
    """The acceptance of this request."""
    return Tracking(session, once, clock)


TrackingDep = Annotated[Tracking, Depends(tracking, scope="function")]


async def accept_occurrences(session: AsyncSession, occurrences: Sequence[Occurrence]) -> None:
    """Store the events of Segment calls in their order. An id that was accepted before changes nothing."""
    contacts = await _contacts_of(ContactRepository(session), occurrences)
    await EventRepository(session).accept(
        [
            NewEvent(
                event_id=occurrence.event_id,
                contact_id=contact_id,
                name=occurrence.name,
                properties=occurrence.properties,
                occurred_at=occurrence.occurred_at,
                source=SEGMENT,
            )
            for occurrence, contact_id in zip(occurrences, contacts, strict=True)
        ]
    )


async def _contacts_of(contacts: ContactRepository, occurrences: Sequence[Occurrence]) -> list[UUID]:
    """The contact of each, set by set; an alias is taken by itself, between the calls before and after it."""
    found: list[UUID] = []
    for is_alias, group in groupby(occurrences, key=lambda occurrence: occurrence.previous_id is not None):
        members = list(group)
        if is_alias:
            found += [await _alias(contacts, occurrence) for occurrence in members]
        else:
            found += await contacts.resolve([_reference(occurrence) for occurrence in members])
    return found


def _reference(occurrence: Occurrence) -> ContactReference:
    return ContactReference(user_id=occurrence.user_id, anonymous_id=occurrence.anonymous_id)


async def _alias(contacts: ContactRepository, occurrence: Occurrence) -> UUID:
    assert occurrence.previous_id is not None, "told apart by it"
    assert occurrence.user_id is not None, "demanded by `api.segment.findings`"
    return await alias(contacts, previous_id=occurrence.previous_id, user_id=occurrence.user_id)
