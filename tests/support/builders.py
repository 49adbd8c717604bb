"""Rows for tests, made through the same repositories the product uses. Every builder returns what it made."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.contacts import ContactReference, ContactRepository
from crm.events import EventRepository, NewEvent
from crm.journeys import JourneyRepository, plan_of
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from crm.models.journey import JourneyVersion
from journeys.model import Journey
from journeys.outcomes import ENDED, JourneyState

SOME_DAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday morning; what builders take where no instant is given."""


async def a_contact(session: AsyncSession, **traits: Any) -> Contact:
    """A contact with an address of its own unless `traits` say otherwise; `user_id` may be among them."""
    user_id = traits.pop("user_id", f"user-{uuid4().hex[:12]}")
    given = {"email": f"{user_id}@example.com", "first_name": "Ada", **traits}
    contact, _ = await ContactRepository(session).upsert(ContactReference(user_id=user_id), given)
    return contact


async def an_event(
    session: AsyncSession,
    contact_id: UUID,
    name: str = "order.placed",
    *,
    event_id: str | None = None,
    occurred_at: datetime = SOME_DAY,
    properties: Mapping[str, Any] | None = None,
    source: str = "api",
    queued: bool = False,
) -> Event:
    """An accepted event. With `queued=True` it also waits in the queue to intake, as accepted events do."""
    given = event_id or f"event-{uuid4().hex}"
    new = NewEvent(
        event_id=given,
        contact_id=contact_id,
        name=name,
        occurred_at=occurred_at,
        properties=properties or {},
        source=source,
    )
    await EventRepository(session).accept([new])
    if not queued:
        await session.execute(
            text(
                "DELETE FROM intake_queue USING events WHERE event_id = :id AND intake_queue.sequence = events.sequence"
            ),
            {"id": given},
        )
    return next(event for event in await EventRepository(session).page(contact_id) if event.event_id == given)


A_JOURNEY: Mapping[str, Any] = {
    "key": "welcome-test",
    "name": "A journey for tests",
    "owner": "tests",
    "goal": {"type": "sell", "event": "order.placed"},
    "entry": {"event": "contact.registered"},
    "steps": [{"id": "pause", "wait": "1d"}, {"id": "mail", "send": {"template": "welcome"}}],
}


async def a_live_journey(session: AsyncSession, definition: str | Mapping[str, Any] | None = None) -> JourneyVersion:
    """A published journey: of YAML, of a mapping whose keys replace those of a small one, or that small one."""
    journeys = JourneyRepository(session)
    draft = await journeys.put_draft(_journey(definition))
    return await journeys.publish(draft.journey_key, by="tests")


def _journey(definition: str | Mapping[str, Any] | None) -> Journey:
    if isinstance(definition, str):
        from ruamel.yaml import YAML  # noqa: PLC0415 -- only few tests write YAML

        return Journey.model_validate(YAML(typ="safe").load(definition))
    return Journey.model_validate({**A_JOURNEY, **(definition or {})})


async def an_enrollment(
    session: AsyncSession,
    contact_id: UUID,
    version: JourneyVersion,
    *,
    state: JourneyState = JourneyState.RUNNING,
    step: str | None = None,
    entered_at: datetime = SOME_DAY,
    ended_at: datetime | None = None,
    entry_key: str = "",
    entry_event_id: str | None = None,
    entry_properties: Mapping[str, Any] | None = None,
) -> Enrollment:
    """An enrollment as a projection only: nothing runs in Temporal, and nothing is in the outbox.

    It stands at `step`, by default the first; one that is starting stands nowhere yet.
    """
    enrollment = Enrollment(
        journey_key=version.journey_key,
        version=version.version,
        contact_id=contact_id,
        entry_key=entry_key,
        workflow_id=f"{version.journey_key}:{contact_id}" + (f":{entry_key}" if entry_key else ""),
        state=state.value,
        step=None if state is JourneyState.STARTING else step or plan_of(version).start,
        since=entered_at,
        entered_at=entered_at,
        ended_at=ended_at or (entered_at if state in ENDED else None),
        entry_event_id=entry_event_id,
        entry_properties=dict(entry_properties or {}),
    )
    session.add(enrollment)
    await session.flush()
    return enrollment
