"""Events: accepting them once, and reading what happened to a contact. What follows from one is decided in `intake`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.event import Event, EventReceipt
from kit.documents import json_problem, text_problem, to_json
from kit.errors import Invalid, Problem

DERIVED = "derived"
"""Source of events that follow from others."""

_LONGEST_EVENT_ID = 500

# One statement: a receipt for each id not seen before, the event it stands for, its place in the queue to intake.
# Receipts are written in one order everywhere, so that two transactions with the same ids never wait for each other.
_ACCEPT = text("""
    WITH given AS (
        SELECT * FROM unnest(
            CAST(:ids AS text[]), CAST(:contacts AS uuid[]), CAST(:names AS text[]),
            CAST(:properties AS text[]), CAST(:occurred AS timestamptz[]), CAST(:sources AS text[])
        ) WITH ORDINALITY AS t (event_id, contact_id, name, properties, occurred_at, source, position)
    ), fresh AS (
        INSERT INTO event_receipts (event_id) SELECT event_id FROM given ORDER BY event_id
        ON CONFLICT DO NOTHING RETURNING event_id
    ), stored AS (
        INSERT INTO events (event_id, contact_id, name, properties, occurred_at, source)
        SELECT event_id, contact_id, name, CAST(properties AS jsonb), occurred_at, source
        FROM given JOIN fresh USING (event_id) ORDER BY position
        RETURNING sequence, received_at, contact_id, event_id
    ), queued AS (
        INSERT INTO intake_queue (sequence, received_at, contact_id)
        SELECT sequence, received_at, contact_id FROM stored ORDER BY sequence
    )
    SELECT event_id FROM stored
""")


@dataclass(frozen=True)
class NewEvent:
    """An event to be accepted. `occurred_at` is aware; `source` is `api`, `segment` or `derived`.

    Raises:
        Invalid: `properties` cannot be stored as JSON, id or name is blank or too long, or `occurred_at` is naive.
    """

    event_id: str
    contact_id: UUID
    name: str
    occurred_at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)
    source: str = "api"

    def __post_init__(self) -> None:
        found = [
            text_problem(self.event_id, where="event_id", limit=_LONGEST_EVENT_ID),
            text_problem(self.name, where="name"),
            json_problem(dict(self.properties), where="properties"),
        ]
        if self.occurred_at.tzinfo is None:
            found.append(Problem("occurred_at", "has no offset from UTC.", "Write one, such as Z or +02:00."))
        problems = [problem for problem in found if problem is not None]
        if problems:
            raise Invalid("The event cannot be stored.", problems=problems)


class EventRepository:
    """The event log, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def accept(self, events: Sequence[NewEvent]) -> frozenset[str]:
        """Store events and queue them for intake, in the order given. Returns the ids that were new.

        An id that was accepted before, or stands in `events` twice, counts once: the first one is kept.
        """
        if not events:
            return frozenset()
        firsts: dict[str, NewEvent] = {}
        for event in events:
            firsts.setdefault(event.event_id, event)
        return frozenset(await self._session.scalars(_ACCEPT, _columns(firsts.values())))

    async def is_known(self, event_id: str) -> bool:
        """Whether an event of that id was accepted."""
        known = await self._session.scalar(select(exists().where(EventReceipt.event_id == event_id)))
        return bool(known)

    async def history(
        self,
        contact_id: UUID,
        *,
        names: Collection[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 1_000,
    ) -> list[Event]:
        """The newest `limit` events by occurrence (both ends included), of these names only, oldest first."""
        query = select(Event).where(Event.contact_id == contact_id)
        if names is not None:
            query = query.where(Event.name.in_(names))
        if since is not None:
            query = query.where(Event.occurred_at >= since)
        if until is not None:
            query = query.where(Event.occurred_at <= until)
        newest = query.order_by(Event.occurred_at.desc(), Event.sequence.desc()).limit(limit)
        return list(reversed((await self._session.scalars(newest)).all()))

    async def page(self, contact_id: UUID, *, before_sequence: int | None = None, limit: int = 50) -> list[Event]:
        """The contact's events, newest received first, beginning behind `before_sequence`."""
        query = select(Event).where(Event.contact_id == contact_id).order_by(Event.sequence.desc()).limit(limit)
        if before_sequence is not None:
            query = query.where(Event.sequence < before_sequence)
        return list(await self._session.scalars(query))


def _columns(events: Collection[NewEvent]) -> dict[str, list[Any]]:
    return {
        "ids": [event.event_id for event in events],
        "contacts": [event.contact_id for event in events],
        "names": [event.name for event in events],
        "properties": [to_json(dict(event.properties)) for event in events],
        "occurred": [event.occurred_at for event in events],
        "sources": [event.source for event in events],
    }
