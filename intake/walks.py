"""What every kind of round has: a page of contacts, on behalf of the entry that is live now. See `intake.rounds`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys import JourneyRepository, definition_of
from crm.models.clock import EntryRound
from crm.models.contact import Contact
from journeys.entries import TimedEntry
from journeys.model import Entry
from journeys.timing import zone_or_default

CONTACTS_AT_ONCE = 500


@dataclass(frozen=True)
class Present:
    """The present moment (aware), the IANA zone of contacts without one, and what is set for whoever enters now."""

    now: datetime
    default_zone: str
    control_group: int = 0
    """Percent of all contacts who get no marketing message."""
    digest_key: SecretStr | None = None
    """That of the suppression list, which is not asked without it."""

    def zone(self, name: str | None) -> ZoneInfo:
        """Where a contact lives whose profile names this zone."""
        return zone_or_default(name, self.default_zone)[0]

    def of(self, live: "LiveEntry | None") -> "Present":
        """The same moment, with the zone that the journey names for contacts without one, where it names any."""
        return self if live is None or live.time_zone is None else replace(self, default_zone=live.time_zone)


@dataclass(frozen=True)
class LiveEntry:
    """What the time brings about by the live version of a journey, and the whole entry it is part of."""

    version: int
    timed: TimedEntry
    entry: Entry
    time_zone: str | None = None
    """IANA zone that the journey names for contacts without one."""


async def live_entry(session: AsyncSession, journey_key: str) -> LiveEntry | None:
    """The journey's live entry; None where time brings about nothing, or no version is live."""
    version = await JourneyRepository(session).live(journey_key)
    if version is None:
        return None
    journey = definition_of(version)
    timed = journey.entry.timed
    return LiveEntry(version.version, timed, journey.entry, journey.time_zone) if timed is not None else None


@dataclass(frozen=True)
class Page:
    """What a page came to: the contacts looked at, in their order, and for how many of them something was done."""

    contact_ids: Sequence[UUID]
    done: int

    @property
    def is_last(self) -> bool:
        """Whether nobody comes after it."""
        return len(self.contact_ids) < CONTACTS_AT_ONCE


@dataclass(frozen=True)
class Walk:
    """A round at work."""

    session: AsyncSession
    round: EntryRound
    live: LiveEntry | None
    present: Present

    @property
    def timed(self) -> TimedEntry | None:
        """What the round is made for; None where nothing of the kind is live any more."""
        return self.live.timed if self.live is not None else None

    def contacts(self) -> Select[tuple[UUID]]:
        """The next contacts, in their order."""
        query = select(Contact.id).order_by(Contact.id).limit(CONTACTS_AT_ONCE)
        return query.where(Contact.id > self.round.cursor) if self.round.cursor is not None else query
