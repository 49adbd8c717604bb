"""Entries whose audience did not hold, and which are judged again: a profile is often updated just after the event.

Nobody polls: the contact's later events are what judges them again, those that may change what the audience says.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import NewEvent
from crm.models.event import Event
from intake.admission import Door
from intake.models import EntryRefusal
from intake.reentry import EnrollmentRefusal
from journeys.segments import touched_by
from kit.errors import Invalid


@dataclass(frozen=True)
class Retry:
    """An entry to be judged again: the door, in the version that is live now, and the event it was."""

    door: Door
    event: Event

    def is_due(self, told: Iterable[Event | NewEvent], scored: Collection[str]) -> bool:
        """Whether one of these events may change what the audience says. `scored`: names of those that give points."""
        audience = self.door.definition.entry.audience
        return audience is not None and any(
            touched_by(audience, one.name, one.properties, scored=one.name in scored) for one in told
        )


async def waiting_refusals(
    session: AsyncSession, contact_ids: Collection[UUID], now: datetime
) -> Sequence[EntryRefusal]:
    """The refusals of these contacts that may still be judged otherwise at `now` (aware), oldest first."""
    query = select(EntryRefusal).where(
        EntryRefusal.contact_id.in_(contact_ids), EntryRefusal.retry_until >= now, EntryRefusal.settled_at.is_(None)
    )
    return (await session.scalars(query.order_by(EntryRefusal.id))).all()


async def retries_of(
    session: AsyncSession, refusals: Sequence[EntryRefusal], doors: Collection[Door]
) -> dict[UUID, list[Retry]]:
    """What is to be judged again, by contact: where a journey is still live, and still entered by that event."""
    if not refusals:
        return {}
    ids = [refusal.cause_event_id for refusal in refusals]
    events = await session.scalars(
        select(Event).where(Event.event_id.in_(ids), Event.contact_id.in_({refusal.contact_id for refusal in refusals}))
    )
    by_id = {event.event_id: event for event in events}
    retries: dict[UUID, list[Retry]] = defaultdict(list)
    for refusal in refusals:
        event = by_id[refusal.cause_event_id or ""]
        retries[refusal.contact_id] += [
            Retry(door, event)
            for door in doors
            if door.version.journey_key == refusal.journey_key and _still_opens(door, event)
        ]
    return retries


def _still_opens(door: Door, event: Event) -> bool:
    entry = door.definition.entry
    try:
        return entry.retry is not None and entry.trigger == event.name and door.opens_to(event)
    except Invalid:
        return False


async def settle(session: AsyncSession, retry: Retry, now: datetime) -> None:
    """The audience has held: what that came to is told by an enrollment, or by a later refusal of the same event."""
    await session.execute(
        update(EntryRefusal)
        .where(
            EntryRefusal.contact_id == retry.event.contact_id,
            EntryRefusal.journey_key == retry.door.version.journey_key,
            EntryRefusal.cause_event_id == retry.event.event_id,
            EntryRefusal.reason == EnrollmentRefusal.AUDIENCE,
        )
        .values(settled_at=now)
    )
