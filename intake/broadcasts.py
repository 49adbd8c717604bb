"""Broadcasts: at its moment everybody is looked at, and those the audience holds for are let in, once each.

A broadcast is a few rounds, one for each instant at which it is that time somewhere. The last is for everybody left, so
whoever moves between zones meanwhile is neither forgotten nor reached twice.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Select, func, or_, select

from crm.condition_sql import asked
from crm.events import DERIVED, EventRepository, NewEvent
from crm.facts import load_facts
from crm.models.clock import EntryRound, RoundKind
from crm.models.contact import Contact
from crm.models.event import EventReceipt
from intake.walks import Page, Walk
from journeys.broadcasts import instalments
from journeys.conditions.registry import Condition
from journeys.entries import Broadcast
from journeys.timing import zone_or_default
from kit.errors import Invalid, NotFound

EXPIRED = "too late to begin"


def announce(walk: Walk, broadcast: Broadcast) -> Page:
    """Order the rounds of a broadcast."""
    planned = instalments(broadcast, walk.present.default_zone)
    walk.session.add_all(
        EntryRound(
            journey_key=walk.round.journey_key,
            kind=RoundKind.BROADCAST,
            due_at=one.at,
            zones=list(one.zones) if one.zones is not None else None,
        )
        for one in planned
    )
    return Page((), len(planned))


async def invite(walk: Walk) -> Page | None:
    """Let the next contacts in whom the audience holds for, and who have not been let in by this broadcast yet."""
    broadcast, live = walk.timed, walk.live
    if live is None or not isinstance(broadcast, Broadcast):
        return None
    if walk.round.cursor is None and _too_late(walk, broadcast):
        walk.round.outcome = EXPIRED
        return Page((), 0)
    contacts = (await walk.session.execute(_contacts(walk))).all()
    events = [_due(walk, broadcast, contact_id, zone) for contact_id, zone in contacts]
    invited = await _invited(walk, events)
    fresh = [event for event in events if event.event_id not in invited]
    meant = await _meant(walk, fresh, live.entry.audience)
    await EventRepository(walk.session).accept(meant)
    return Page([contact_id for contact_id, _ in contacts], len(meant))


def _too_late(walk: Walk, broadcast: Broadcast) -> bool:
    limit = broadcast.expires_after
    return limit is not None and walk.present.now - walk.round.due_at > limit


def _contacts(walk: Walk) -> Select[tuple[UUID, str | None]]:
    """The next contacts of the round's zones, with the zone of each."""
    query = walk.contacts().add_columns(Contact.time_zone)
    if walk.round.zones is None:
        return query
    return query.where(func.coalesce(Contact.time_zone, walk.present.default_zone).in_(walk.round.zones))


def _due(walk: Walk, broadcast: Broadcast, contact_id: UUID, time_zone: str | None) -> NewEvent:
    journey_key, at = walk.round.journey_key, broadcast.at.isoformat()
    zone, _ = zone_or_default(time_zone, walk.present.default_zone)
    return NewEvent(
        event_id=f"{broadcast.trigger}:{journey_key}:{contact_id}:{at}",
        contact_id=contact_id,
        name=broadcast.trigger,
        occurred_at=walk.round.due_at,
        properties={"journey": journey_key, "at": at, "zone": zone.key},
        source=DERIVED,
    )


async def _invited(walk: Walk, events: Sequence[NewEvent]) -> Collection[str]:
    """The ids of those events that were accepted before."""
    ids = [event.event_id for event in events]
    query = select(EventReceipt.event_id).where(EventReceipt.event_id.in_(ids))
    return frozenset(await walk.session.scalars(query))


async def _meant(walk: Walk, events: Sequence[NewEvent], audience: Condition | None) -> list[NewEvent]:
    """Those of the events whose contacts the audience holds for, or may hold for.

    By one statement, where the audience can be asked of a set; else contact by contact.
    """
    if audience is None or not events:
        return list(events)
    try:
        one = asked(audience, walk.present.now, among=[event.contact_id for event in events])
    except Invalid:
        return [event for event in events if await _is_meant(walk, event, audience)]
    # Of whom nobody can tell is left to the door, which stores why it refuses.
    query = select(Contact.id).select_from(one.source).where(one.among, or_(one.holds, one.undecidable))
    found = frozenset(await walk.session.scalars(query))
    return [event for event in events if event.contact_id in found]


async def _is_meant(walk: Walk, event: NewEvent, audience: Condition) -> bool:
    """Whether the audience holds for the contact; it is in doubt left to the door, which stores why it refuses."""
    try:
        facts = await load_facts(
            walk.session, event.contact_id, audience.needs(), walk.present.now, entry=event.properties
        )
        return audience.judge(facts).holds
    except NotFound:
        return False
    except Invalid:
        return True
