"""Dates of contacts: when they come round next, and what a clock that has come due means.

The contact is read again each time: a clock that was too early, because a date or a zone has moved, is set anew.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from crm.clocks import ClockSetting
from crm.events import DERIVED, NewEvent
from crm.facts import attributes_of
from crm.models.clock import EntryClock
from crm.models.contact import Contact
from intake.models import EntryRefusal
from intake.reentry import EnrollmentRefusal
from journeys.conditions.comparison import lookup
from journeys.dates import DateRefusal
from journeys.duration import describe_duration
from journeys.entries import DateEntry
from journeys.occasions import Occasion, next_occasion
from journeys.timing import zone_or_default


@dataclass(frozen=True)
class Calendar:
    """When the date of each contact comes round. `default_zone` is for contacts without a zone of their own."""

    entry: DateEntry
    contacts: Mapping[UUID, Contact]
    default_zone: str

    @classmethod
    async def of(
        cls, session: AsyncSession, contact_ids: Collection[UUID], entry: DateEntry, default_zone: str
    ) -> "Calendar":
        """The calendar of these contacts as they are now."""
        query = select(Contact).where(Contact.id.in_(contact_ids)).execution_options(populate_existing=True)
        return cls(entry, {contact.id: contact for contact in await session.scalars(query)}, default_zone)

    def next(self, contact_id: UUID, after: datetime) -> Occasion | DateRefusal | None:
        """The first occasion later than `after`; None where no more comes; or why there is no usable date."""
        contact = self.contacts.get(contact_id)
        if contact is None:
            return DateRefusal.MISSING
        zone, _ = zone_or_default(contact.time_zone, self.default_zone)
        return next_occasion(self.entry, lookup(attributes_of(contact), self.entry.of or ""), zone, after=after)

    def zone(self, contact_id: UUID) -> str:
        """Name of the zone that counts for the contact."""
        return zone_or_default(self.contacts[contact_id].time_zone, self.default_zone)[0].key


def has_date(entry: DateEntry) -> ColumnElement[bool]:
    """Whether a contact has the attribute at all, in SQL; feasts concern everybody."""
    if entry.feast is not None:
        return true()
    return Contact.attributes.op("?", is_comparison=True)(entry.attribute)


async def ring(
    session: AsyncSession, clocks: Sequence[EntryClock], calendar: Calendar, *, version: int, now: datetime
) -> list[NewEvent]:
    """Set each of these due clocks anew, or let it ring: returns the events that follow.

    An occasion that is found too late is stored as a refused entry. A clock without a usable date is removed.
    """
    events = []
    for clock in clocks:
        occasion = calendar.next(clock.contact_id, clock.anchor_at)
        while isinstance(occasion, Occasion) and occasion.at <= now:
            clock.anchor_at, clock.rung_at = occasion.at, now
            late = _too_late(calendar.entry, occasion, now)
            if late:
                session.add(_refusal(clock, version, late, now))
            else:
                events.append(_reached(clock, calendar, occasion))
            occasion = calendar.next(clock.contact_id, clock.anchor_at)
        if isinstance(occasion, DateRefusal):
            await session.delete(clock)
        else:
            clock.due_at = occasion.at if occasion is not None else None
    return events


def _too_late(entry: DateEntry, occasion: Occasion, now: datetime) -> str:
    """Why the occasion is not used any more; empty where it is. Names no date: a birthday is personal."""
    late = now - occasion.at
    if entry.expires_after is None or late <= entry.expires_after:
        return ""
    limit = describe_duration(entry.expires_after)
    return f"its moment had passed by {describe_duration(late)}, and it is of use for {limit}"


def _refusal(clock: EntryClock, version: int, because: str, now: datetime) -> EntryRefusal:
    return EntryRefusal(
        journey_key=clock.journey_key,
        version=version,
        contact_id=clock.contact_id,
        reason=EnrollmentRefusal.EXPIRED,
        because=because,
        at=now,
    )


def _reached(clock: EntryClock, calendar: Calendar, occasion: Occasion) -> NewEvent:
    # The id makes it once for a return of the date, however the contact moves.
    entry, day = calendar.entry, occasion.day.isoformat()
    years = {"years": occasion.years} if occasion.years is not None else {}
    zone = calendar.zone(clock.contact_id)
    return NewEvent(
        event_id=f"{entry.trigger}:{clock.journey_key}:{clock.contact_id}:{occasion.identity.isoformat()}",
        contact_id=clock.contact_id,
        name=entry.trigger,
        occurred_at=occasion.at,
        properties={"journey": clock.journey_key, "of": entry.named, "date": day, "zone": zone, **years},
        source=DERIVED,
    )


def settings_of(
    journey_key: str, contact_ids: Collection[UUID], calendar: Calendar, *, since: datetime
) -> list[ClockSetting]:
    """The clocks of these contacts, for occasions later than `since`; none where no more comes."""
    found = {contact_id: calendar.next(contact_id, since) for contact_id in contact_ids}
    return [
        ClockSetting(
            journey_key=journey_key,
            contact_id=contact_id,
            fingerprint=calendar.entry.fingerprint,
            anchor_at=since,
            due_at=occasion.at,
        )
        for contact_id, occasion in found.items()
        if isinstance(occasion, Occasion)
    ]
