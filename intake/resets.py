"""What events do to clocks, as they are applied: what a journey waits to miss sets them back, a new date moves them.

A few statements at the end of a batch, however many events it held. What a due clock means is in `intake.clocks`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.clocks import ClockRepository, ClockSetting
from crm.models.event import Event
from crm.models.journey import JourneyVersion, VersionState
from intake.admission import Door
from intake.silence import breaks_silence
from journeys.entries import ANY_EVENT, Absence, DateEntry
from journeys.occasions import FARTHEST_APART
from journeys.values import CONTACT_UPDATED

TIME_ZONE = "time_zone"
LONGEST_BACKLOG = timedelta(hours=1)
"""A new date counts from when it was told; at most for so long, since an import tells of days long past."""
_AS_LONG = timedelta()
"""A silence began when it began, wherever the contact lives by now; only its end may come earlier."""


async def set_clocks(session: AsyncSession, events: Sequence[Event], now: datetime) -> None:
    """Set the clocks that these events set. The caller holds the locks of their contacts."""
    watches: list[_Silence | _Dates] = []
    for door in await _doors(session, events):
        match door.definition.entry.timed:
            case Absence() as absence:
                watches.append(_Silence(door, absence))
            case DateEntry() as entry:
                watches.append(_Dates(door, entry))
    for event in events:
        for watch in watches:
            watch.take(event, now)
    clocks = ClockRepository(session)
    for watch in watches:
        await watch.set(clocks, events, now)


async def _doors(session: AsyncSession, events: Collection[Event]) -> list[Door]:
    """The live journeys whose clocks these events set."""
    names = [*{event.name for event in events}, ANY_EVENT]
    query = select(JourneyVersion).where(
        JourneyVersion.state == VersionState.LIVE,
        JourneyVersion.share.is_(None),  # one on trial has the same entry
        JourneyVersion.clock_events.overlap(names),
    )
    return [Door.of(version) for version in await session.scalars(query.order_by(JourneyVersion.journey_key))]


def changed_by(event: Event) -> list[str]:
    """What of the contact an event has changed, by name."""
    names = event.properties.get("changed") if event.name == CONTACT_UPDATED else None
    return names if isinstance(names, list) else []


@dataclass
class _Silence:
    """A live journey that waits to miss something: the latest sign of each contact, and who has moved."""

    door: Door
    absence: Absence
    signs: dict[UUID, ClockSetting] = field(default_factory=dict)
    moved: set[UUID] = field(default_factory=set)

    @property
    def since(self) -> datetime | None:
        """Silence from before does not count, where there is such an instant."""
        return self.door.version.published_at if not self.absence.arms else None

    def take(self, event: Event, now: datetime) -> None:
        absence = self.absence
        if absence.by_calendar and TIME_ZONE in changed_by(event):
            self.moved.add(event.contact_id)
        if event.name not in absence.of or not breaks_silence(absence.where, event.properties, event.event_id):
            return
        anchor = min(event.occurred_at, now)
        anchor = max(anchor, self.since) if self.since is not None else anchor
        known = self.signs.get(event.contact_id)
        if known is None or known.anchor_at < anchor:
            self.signs[event.contact_id] = ClockSetting(
                journey_key=self.door.version.journey_key,
                contact_id=event.contact_id,
                fingerprint=absence.fingerprint,
                anchor_at=anchor,
                due_at=anchor + absence.soonest,
                cause_event_id=event.event_id,
            )

    async def set(self, clocks: ClockRepository, events: Sequence[Event], now: datetime) -> None:
        await clocks.set(list(self.signs.values()))
        await clocks.look_again(self.door.version.journey_key, self.moved, now, apart=_AS_LONG)
        if self.absence.also_without:
            contacts = sorted({event.contact_id for event in events})
            await clocks.begin(self.door.version.journey_key, contacts, self.absence, since=self.since)


@dataclass
class _Dates:
    """A live journey that waits for a date: whose date has changed, and when; and who has moved to another zone."""

    door: Door
    entry: DateEntry
    changed: dict[UUID, ClockSetting] = field(default_factory=dict)
    moved: set[UUID] = field(default_factory=set)

    def take(self, event: Event, now: datetime) -> None:
        names = changed_by(event)
        if self.entry.feast is None and self.entry.attribute in names:
            self.changed[event.contact_id] = ClockSetting(
                journey_key=self.door.version.journey_key,
                contact_id=event.contact_id,
                fingerprint=self.entry.fingerprint,
                anchor_at=min(max(event.occurred_at, now - LONGEST_BACKLOG), now),
                due_at=now,
                cause_event_id=event.event_id,
            )
        elif TIME_ZONE in names:
            self.moved.add(event.contact_id)

    async def set(self, clocks: ClockRepository, events: Sequence[Event], now: datetime) -> None:
        if self.entry.feast is not None:
            await clocks.set_first(self._first_clocks(events, now))
        await clocks.look_anew(list(self.changed.values()))
        moved = self.moved - self.changed.keys()
        await clocks.look_again(self.door.version.journey_key, moved, now, apart=FARTHEST_APART)

    def _first_clocks(self, events: Sequence[Event], now: datetime) -> list[ClockSetting]:
        """Of each contact one that is to be looked at, which then finds the next feast."""
        return [
            ClockSetting(
                journey_key=self.door.version.journey_key,
                contact_id=contact_id,
                fingerprint=self.entry.fingerprint,
                anchor_at=now,
                due_at=now,
            )
            for contact_id in sorted({event.contact_id for event in events})
        ]
