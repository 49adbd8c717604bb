"""Putting test users into a draft, as a real enrollment of a plan of its own, and what else follows from a test.

Entry, audience and re-entry are not asked: an author says who tries what. Who may try anything, an operator says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.access import AuditRepository
from crm.events import DERIVED
from crm.journeys import JourneyRepository, definition_of, plan_of
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from crm.models.journey import JourneyVersion
from crm.steering import SteeringRepository
from crm.tryouts import Pace, TryoutRepository
from intake.admission import place_of_its_own
from intake.outbox import put_start, request_exit
from journeys.outcomes import JourneyState
from journeys.segment_entry import ENTERED, LEFT
from kit.errors import NotFound
from messaging.pins import TemplatePins
from workflows.names import tryout_workflow_id


class TryoutRefusal(StrEnum):
    """Why a contact was not put into a draft: the closed list, explained in `docs/journeys/versions.md`."""

    NOT_A_TEST_USER = "not_a_test_user"
    JOURNEY_PAUSED = "journey_paused"


@dataclass(frozen=True)
class Tryout:
    """What is asked for: `properties` are what `$entry.x` stands for. `restart` ends a test run that is still on."""

    properties: Mapping[str, Any] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    restart: bool = False


@dataclass(frozen=True)
class Trying:
    """The contact is inside the draft: since now, or it was already."""

    enrollment: Enrollment
    begun: bool


@dataclass(frozen=True)
class NotTried:
    """The contact was not put into the draft: a reason of the closed list, and a sentence for people."""

    reason: TryoutRefusal
    because: str


async def try_draft(
    session: AsyncSession, draft: JourneyVersion, contact_id: UUID, tryout: Tryout, *, by: str, now: datetime
) -> Trying | NotTried:
    """Put a test user into the draft, or say why not. Locks the contact's row; the draft must be held by the caller.

    Whoever is in a test run of the same draft stays in it, unless a restart is asked for. A test run of what the draft
    said before ends.

    Raises:
        NotFound: no such contact.
        Invalid: an arm is asked for that the draft does not have.
    """
    if refusal := await _refusal(session, draft, contact_id):
        return refusal
    running = await _running(session, draft, contact_id)
    if running and not tryout.restart and await _tries_the_same(session, running[-1], draft):
        return Trying(running[-1], begun=False)
    kept = await TryoutRepository(session).keep(draft, tryout.pace)
    await TemplatePins(session).pin(kept)
    for one in running:
        reason = f"tried anew as test {-kept.version}"
        await request_exit(session, one, reason=reason, event_id=f"tryout:{kept.version}:{one.id}", at=now)
    enrollment = await _enroll(session, kept, contact_id, tryout.properties, now)
    details = {"draft": draft.version, "contact": str(contact_id), "enrollment": str(enrollment.id)}
    await AuditRepository(session).record(by, "journey.tested", f"journey:{draft.journey_key}", details)
    return Trying(enrollment, begun=True)


async def _refusal(session: AsyncSession, draft: JourneyVersion, contact_id: UUID) -> NotTried | None:
    contact = await session.get(Contact, contact_id, with_for_update={"key_share": True}, populate_existing=True)
    if contact is None:
        raise NotFound("No such contact.", remedy="Identify the contact first.")
    if not contact.is_test_user:
        changed = "its mail address is another one since" if contact.test_address else "nobody has made it one"
        return NotTried(
            TryoutRefusal.NOT_A_TEST_USER,
            f"the contact is no test user: {changed}. So that no draft is sent to a customer by accident, only test "
            "users may be put into one; an operator makes them with PUT /v1/contacts/{contact_id}/test-user",
        )
    if await SteeringRepository(session).paused_since(draft.journey_key) is not None:
        because = "the journey is paused, and that holds its test runs too: resume it first"
        return NotTried(TryoutRefusal.JOURNEY_PAUSED, because)
    return None


async def _running(session: AsyncSession, draft: JourneyVersion, contact_id: UUID) -> list[Enrollment]:
    """The contact's test runs in the journey that have not ended, oldest first."""
    query = select(Enrollment).where(
        Enrollment.contact_id == contact_id,
        Enrollment.journey_key == draft.journey_key,
        Enrollment.tested_draft.is_not(None),
        Enrollment.ended_at.is_(None),
    )
    return list(await session.scalars(query.order_by(Enrollment.id)))


async def _tries_the_same(session: AsyncSession, running: Enrollment, draft: JourneyVersion) -> bool:
    kept = await JourneyRepository(session).version(running.journey_key, running.version)
    return kept is not None and kept.definition == draft.definition


async def _enroll(
    session: AsyncSession, kept: JourneyVersion, contact_id: UUID, properties: Mapping[str, Any], now: datetime
) -> Enrollment:
    goal = definition_of(kept).goal
    enrollment = Enrollment(
        journey_key=kept.journey_key,
        version=kept.version,
        tested_draft=plan_of(kept).version,
        contact_id=contact_id,
        workflow_id=tryout_workflow_id(kept.journey_key, contact_id, -kept.version),
        state=JourneyState.STARTING,
        since=now,
        entry_properties=dict(properties),
        entered_at=now,
        entry_sequence=await place_of_its_own(session),
        goal_until=now + goal.within if goal is not None and goal.within is not None else None,
    )
    session.add(enrollment)
    await session.flush()
    put_start(session, enrollment.id)
    await session.refresh(enrollment)
    return enrollment


async def follows_from_test(session: AsyncSession, event: Event) -> bool:
    """Whether an event was brought about by a step of a test run of its contact, directly or through a segment."""
    if event.source != DERIVED:
        return False
    tests = await TryoutRepository(session).tests_of(event.contact_id)
    if not tests:
        return False
    told = [event.event_id, *(value for value in event.properties.values() if isinstance(value, str))]
    if event.name in {ENTERED, LEFT} and (sequence := event.event_id.rpartition(":")[2]).isdecimal():
        cause = select(Event.event_id).where(Event.contact_id == event.contact_id, Event.sequence == int(sequence))
        told += (await session.scalars(cause)).all()
    return any(str(test) in text for test in tests for text in told)
