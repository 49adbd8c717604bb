"""How a contact reacted to mails, as its log tells. What follows for the time of day is in `journeys.send_time`."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import EventRepository
from crm.models.event import Event
from journeys.sittings import LOOK_BACK, WEIGHTS, Reaction

MOST_REACTIONS = 500
"""The newest openings and clicks that are read; more than enough for half a year of one person."""
MACHINE = "machine"
"""The property, `true`, of an opening or click by a program: a service that fetches pictures ahead, a scanner."""


async def reactions_of(session: AsyncSession, contact_id: UUID, now: datetime) -> list[Reaction]:
    """The contact's newest reactions up to `now` (aware) within the time looked back on, at most 500, oldest first."""
    events = await EventRepository(session).history(
        contact_id, names=WEIGHTS, since=now - LOOK_BACK, until=now, limit=MOST_REACTIONS
    )
    return reactions_among(events)


def reactions_among(events: Iterable[Event]) -> list[Reaction]:
    """The reactions to mails among these events, in their order."""
    return [
        Reaction(event.event_id, event.name, event.occurred_at, machine=event.properties.get(MACHINE) is True)
        for event in events
        if event.name in WEIGHTS
    ]
