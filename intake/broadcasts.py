"""Broadcasts: at its moment everybody is looked at, and those the audience holds for are let in, once each.

With a spread each of these gets a clock that rings at its place; until then nothing of it is in Temporal.

A broadcast is a few rounds, one for each instant at which it is that time somewhere. The last is for everybody left, so
whoever moves between zones meanwhile is neither forgotten nor reached twice.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.clocks import ClockRepository, ClockSetting
from crm.condition_sql import asked
from crm.events import DERIVED, EventRepository, NewEvent
from crm.facts import load_facts
from crm.models.clock import EntryClock, EntryRound, RoundKind
from crm.models.contact import Contact
from crm.models.event import EventReceipt
from intake.walks import Page, Present, Walk
from journeys.broadcasts import instalments, place_in
from journeys.conditions.registry import Condition
from journeys.entries import Broadcast
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
    at = walk.round.due_at
    events = [
        _due(walk.round.journey_key, broadcast, contact_id, at, walk.present.zone(zone))
        for contact_id, zone in contacts
    ]
    invited = await _invited(walk, broadcast, events)
    fresh = [event for event in events if event.contact_id not in invited]
    meant = await _meant(walk, fresh, live.entry.audience)
    if broadcast.spread is None:
        await EventRepository(walk.session).accept(meant)
    else:
        await ClockRepository(walk.session).set_first([_clock(walk, broadcast, event.contact_id) for event in meant])
    return Page([contact_id for contact_id, _ in contacts], len(meant))


async def ring(
    session: AsyncSession, clocks: Sequence[EntryClock], broadcast: Broadcast, present: Present
) -> list[NewEvent]:
    """Let these due clocks ring, however late it is: returns the events by which their contacts enter."""
    of_them = Contact.id.in_([clock.contact_id for clock in clocks])
    zones = {
        found.id: found.time_zone
        for found in await session.execute(select(Contact.id, Contact.time_zone).where(of_them))
    }
    events = []
    for clock in clocks:
        assert clock.due_at is not None
        zone = present.zone(zones.get(clock.contact_id))
        events.append(_due(clock.journey_key, broadcast, clock.contact_id, clock.due_at, zone))
        clock.due_at, clock.rung_at = None, present.now
    return events


def _clock(walk: Walk, broadcast: Broadcast, contact_id: UUID) -> ClockSetting:
    at, journey_key = walk.round.due_at, walk.round.journey_key
    due_at = place_in(broadcast, at, journey_key, contact_id)
    return ClockSetting(journey_key, contact_id, broadcast.fingerprint, anchor_at=at, due_at=due_at)


def _too_late(walk: Walk, broadcast: Broadcast) -> bool:
    limit = broadcast.expires_after
    return limit is not None and walk.present.now - walk.round.due_at > limit


def _contacts(walk: Walk) -> Select[tuple[UUID, str | None]]:
    """The next contacts of the round's zones, with the zone of each."""
    # Kept from being erased while something is written down for them.
    query = walk.contacts().add_columns(Contact.time_zone).with_for_update(key_share=True)
    if walk.round.zones is None:
        return query
    return query.where(func.coalesce(Contact.time_zone, walk.present.default_zone).in_(walk.round.zones))


def _due(journey_key: str, broadcast: Broadcast, contact_id: UUID, at: datetime, zone: ZoneInfo) -> NewEvent:
    moment = broadcast.at.isoformat()
    return NewEvent(
        event_id=f"{broadcast.trigger}:{journey_key}:{contact_id}:{moment}",
        contact_id=contact_id,
        name=broadcast.trigger,
        occurred_at=at,
        properties={"journey": journey_key, "at": moment, "zone": zone.key},
        source=DERIVED,
    )


async def _invited(walk: Walk, broadcast: Broadcast, events: Sequence[NewEvent]) -> Collection[UUID]:
    """The contacts of those events that this broadcast has let in, or given a place, before."""
    contacts = {event.event_id: event.contact_id for event in events}
    received = select(EventReceipt.event_id).where(EventReceipt.event_id.in_(contacts))
    placed = select(EntryClock.contact_id).where(
        EntryClock.journey_key == walk.round.journey_key,
        EntryClock.contact_id.in_(contacts.values()),
        EntryClock.fingerprint == broadcast.fingerprint,
    )
    let_in = [contacts[event_id] for event_id in await walk.session.scalars(received)]
    return frozenset([*let_in, *await walk.session.scalars(placed)])


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
