"""Entries that time brings about, in a simulation: the pretended contact's clock, set and rung as `intake` would."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cli.simulation.world import World
from crm.events import DERIVED
from crm.models.event import Event
from intake.silence import breaks_silence
from journeys.entries import Absence


@dataclass(frozen=True)
class Alarm:
    """The contact's clock for the journey: since when it is silent, and when it rings. Both are aware."""

    anchor_at: datetime
    due_at: datetime


def first_alarm(world: World, start: datetime) -> Alarm | None:
    """The clock when the simulation begins: the contact was made, and the journey published, in that moment."""
    absence = world.journey.entry.absence
    if absence is None:
        return None
    signs = [event.occurred_at for event in world.record.events if _breaks(absence, event)]
    if signs and absence.backfill == "matching":
        return _set(absence, max(signs))
    return _set(absence, start) if absence.also_without else None


def set_back(world: World, alarm: Alarm | None, event: Event) -> Alarm | None:
    """The clock after an event: set back where the event is one of those waited for."""
    absence = world.journey.entry.absence
    if absence is None or not _breaks(absence, event) or (alarm and event.occurred_at < alarm.anchor_at):
        return alarm
    return _set(absence, event.occurred_at)


def ring(world: World, alarm: Alarm) -> None:
    """What happens when the clock has come due: the event by which the contact enters."""
    absence = world.journey.entry.absence
    assert absence is not None
    since = alarm.anchor_at.astimezone(UTC)
    world.happen(
        absence.trigger,
        {"journey": world.journey.key, "of": list(absence.of), "since": since.isoformat()},
        at=alarm.due_at,
        event_id=f"{absence.trigger}:{world.journey.key}:{since:%Y%m%dT%H%M%S%f}",
        source=DERIVED,
    )


def _breaks(absence: Absence, event: Event) -> bool:
    return event.name in absence.of and breaks_silence(absence.where, event.properties, event.event_id)


def _set(absence: Absence, anchor: datetime) -> Alarm:
    return Alarm(anchor, anchor + absence.for_)
