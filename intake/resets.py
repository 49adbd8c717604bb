"""What events do to clocks: each that a live journey waits to miss sets the contact's clock back, as it is applied.

One statement at the end of a batch, however many events it held. What a due clock means is in `intake.clocks`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.clocks import ClockRepository, ClockSetting
from crm.models.event import Event
from crm.models.journey import JourneyVersion, VersionState
from intake.admission import Door
from intake.silence import breaks_silence
from journeys.entries import ANY_EVENT, Absence


@dataclass(frozen=True)
class Watch:
    """A live journey that waits to miss something. Silence from before `since` does not count, where there is one."""

    journey_key: str
    absence: Absence
    since: datetime | None


def watch_of(door: Door) -> Watch | None:
    """What the journey waits to miss; None where it waits for nothing of that kind."""
    absence = door.definition.entry.absence
    if absence is None:
        return None
    since = door.version.published_at if absence.backfill == "none" else None
    return Watch(door.version.journey_key, absence, since)


async def watches_of(session: AsyncSession, events: Collection[Event]) -> list[Watch]:
    """The live journeys whose clocks these events set."""
    names = [*{event.name for event in events}, ANY_EVENT]
    query = select(JourneyVersion).where(
        JourneyVersion.state == VersionState.LIVE,
        JourneyVersion.share.is_(None),  # one on trial has the same entry
        JourneyVersion.clock_events.overlap(names),
    )
    doors = [Door.of(version) for version in await session.scalars(query)]
    return [watch for door in doors if (watch := watch_of(door)) is not None]


@dataclass
class _Marks:
    """The latest sign of each contact for one watch."""

    watch: Watch
    signs: dict[UUID, ClockSetting] = field(default_factory=dict)

    def take(self, event: Event, now: datetime) -> None:
        absence = self.watch.absence
        if event.name not in absence.of or not breaks_silence(absence.where, event.properties, event.event_id):
            return
        anchor = min(event.occurred_at, now)
        anchor = max(anchor, self.watch.since) if self.watch.since is not None else anchor
        known = self.signs.get(event.contact_id)
        if known is None or known.anchor_at < anchor:
            self.signs[event.contact_id] = ClockSetting(
                journey_key=self.watch.journey_key,
                contact_id=event.contact_id,
                fingerprint=absence.fingerprint,
                anchor_at=anchor,
                due_at=anchor + absence.for_,
                cause_event_id=event.event_id,
            )


async def set_clocks(session: AsyncSession, events: Sequence[Event], now: datetime) -> None:
    """Set the clocks that these events set. The caller holds the locks of their contacts."""
    marks = [_Marks(watch) for watch in await watches_of(session, events)]
    for event in events:
        for mark in marks:
            mark.take(event, now)
    clocks = ClockRepository(session)
    await clocks.set([setting for mark in marks for setting in mark.signs.values()])
    for watch in (mark.watch for mark in marks):
        if watch.absence.also_without:
            contacts = sorted({event.contact_id for event in events})
            await clocks.begin(watch.journey_key, contacts, watch.absence, since=watch.since)
