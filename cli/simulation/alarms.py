"""Entries that time brings about, in a simulation: the pretended contact's clock, set and rung as `intake` would."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cli.simulation.world import World
from crm.events import DERIVED
from crm.models.event import Event
from intake.silence import breaks_silence
from journeys.broadcasts import instant_in, place_in
from journeys.conditions.comparison import lookup
from journeys.entries import Absence, Broadcast, DateEntry
from journeys.occasions import Occasion, next_occasion
from journeys.values import CONTACT_UPDATED


@dataclass(frozen=True)
class Alarm:
    """The contact's clock for the journey. Instants are aware.

    `anchor_at` is since when the contact is silent, or after what its next date is sought; `given` are the properties
    of the event that happens at `due_at`.
    """

    anchor_at: datetime
    due_at: datetime
    given: Mapping[str, Any]


def first_alarm(world: World, start: datetime) -> Alarm | None:
    """The clock when the simulation begins: the contact was made, and the journey published, in that moment."""
    entry = world.journey.entry
    if entry.date is not None:
        return _next_date(world, entry.date, start)
    if entry.broadcast is not None:
        return _moment(world, entry.broadcast, start)
    if entry.absence is None:
        return None
    signs = [event.occurred_at for event in world.record.events if _breaks(entry.absence, event)]
    if signs and entry.absence.backfill == "matching":
        return _set(world, entry.absence, max(signs))
    return _set(world, entry.absence, start) if entry.absence.also_without else None


def set_back(world: World, alarm: Alarm | None, event: Event) -> Alarm | None:
    """The clock after an event: set back where the event is one of those waited for, moved where the date has moved."""
    entry = world.journey.entry
    if entry.date is not None and event.name == CONTACT_UPDATED:
        return _next_date(world, entry.date, alarm.anchor_at if alarm else event.occurred_at)
    absence = entry.absence
    if absence is None:
        return alarm
    if _breaks(absence, event) and not (alarm and event.occurred_at < alarm.anchor_at):
        return _set(world, absence, event.occurred_at)
    # The contact may have moved.
    return _set(world, absence, alarm.anchor_at) if alarm and event.name == CONTACT_UPDATED else alarm


def ring(world: World, alarm: Alarm) -> Alarm | None:
    """Have the event happen by which the contact enters, as the clock has come due. Returns the clock from then on."""
    entry, journey = world.journey.entry.timed, world.journey.key
    assert entry is not None
    world.happen(
        entry.trigger,
        {"journey": journey, **alarm.given},
        at=alarm.due_at,
        event_id=f"{entry.trigger}:{journey}:{alarm.due_at.astimezone(UTC):%Y%m%dT%H%M%S%f}",
        source=DERIVED,
    )
    return _next_date(world, entry, alarm.due_at) if isinstance(entry, DateEntry) else None


def _next_date(world: World, entry: DateEntry, after: datetime) -> Alarm | None:
    found = next_occasion(entry, lookup(world.record.attributes, entry.of or ""), world.zone, after=after)
    if not isinstance(found, Occasion):
        return None
    years = {"years": found.years} if found.years is not None else {}
    given = {"of": entry.named, "date": found.day.isoformat(), "zone": world.zone.key, **years}
    return Alarm(after, found.at, given)


def _moment(world: World, broadcast: Broadcast, start: datetime) -> Alarm | None:
    at = place_in(broadcast, instant_in(broadcast, world.zone), world.journey.key, world.record.contact.id)
    given = {"at": broadcast.at.isoformat(), "zone": world.zone.key}
    return Alarm(start, at, given) if at >= start else None


def _breaks(absence: Absence, event: Event) -> bool:
    return event.name in absence.of and breaks_silence(absence.where, event.properties, event.event_id)


def _set(world: World, absence: Absence, anchor: datetime) -> Alarm:
    since = anchor.astimezone(UTC).isoformat()
    return Alarm(anchor, absence.over_at(anchor, world.zone), {"of": list(absence.of), "since": since})
