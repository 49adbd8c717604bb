"""Absences: when events that a journey waits to miss came last, and what a clock that has come due means.

The log of events is asked again each time, whatever intake has applied of it: a clock that was too early is set anew.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.clocks import ClockSetting
from crm.events import DERIVED, NewEvent
from crm.models.clock import EntryClock
from crm.models.contact import Contact
from crm.models.event import Event
from intake.walks import Present
from journeys.conditions.comparison import matches
from journeys.entries import Absence
from journeys.timing import zone_or_default
from journeys.values import Where
from kit.errors import Invalid

_ROWS_AT_ONCE = 500

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Sign:
    """The newest event that breaks a silence. `at` is aware."""

    at: datetime
    event_id: str


async def newest_signs(
    session: AsyncSession, contact_ids: Collection[UUID], absence: Absence, now: datetime
) -> dict[UUID, Sign]:
    """The newest event of the absence's kinds for each contact that ever had one; never later than `now`."""
    query = select(Event.contact_id, Event.occurred_at, Event.event_id).where(
        Event.contact_id.in_(contact_ids), Event.name.in_(absence.of)
    )
    newest_first = query.order_by(Event.contact_id, Event.occurred_at.desc(), Event.sequence.desc())
    if not absence.where:
        rows = (await session.execute(newest_first.distinct(Event.contact_id))).all()
        return {contact: Sign(min(at, now), event_id) for contact, at, event_id in rows}
    signs: dict[UUID, Sign] = {}
    stream = await session.stream(newest_first.add_columns(Event.properties).execution_options(yield_per=_ROWS_AT_ONCE))
    async for contact, at, event_id, properties in stream:
        if contact not in signs and breaks_silence(absence.where, properties, event_id):
            signs[contact] = Sign(min(at, now), event_id)
    return signs


def breaks_silence(where: Where, properties: Mapping[str, object], event_id: str) -> bool:
    """Whether the event is one of those meant; one that cannot be compared as asked is not."""
    try:
        return matches(where, properties, {})
    except Invalid:
        _log.warning("sign_undecidable", event_id=event_id)
        return False


async def ring(
    session: AsyncSession, clocks: Sequence[EntryClock], absence: Absence, present: Present
) -> list[NewEvent]:
    """Set each of these due clocks anew, or let it ring: returns the events that follow."""
    contact_ids, now = [clock.contact_id for clock in clocks], present.now
    signs = await newest_signs(session, contact_ids, absence, now)
    zones = await _zones(session, contact_ids, present.default_zone) if absence.by_calendar else {}
    events = []
    for clock in clocks:
        sign = signs.get(clock.contact_id)
        if sign is not None and sign.at > clock.anchor_at:
            clock.anchor_at, clock.cause_event_id = sign.at, sign.event_id
        due_at = absence.over_at(clock.anchor_at, zones.get(clock.contact_id, UTC))
        clock.due_at = due_at if due_at > now else None
        if clock.due_at is None:
            clock.rung_at = now
            events.append(_noticed(clock, absence, due_at))
    return events


async def _zones(session: AsyncSession, contact_ids: Collection[UUID], default_zone: str) -> dict[UUID, tzinfo]:
    """Where each of these contacts lives now."""
    rows = await session.execute(select(Contact.id, Contact.time_zone).where(Contact.id.in_(contact_ids)))
    return {contact_id: zone_or_default(zone, default_zone)[0] for contact_id, zone in rows}


def _noticed(clock: EntryClock, absence: Absence, at: datetime) -> NewEvent:
    since = clock.anchor_at.astimezone(UTC)
    return NewEvent(
        event_id=f"{absence.trigger}:{clock.journey_key}:{clock.contact_id}:{since:%Y%m%dT%H%M%S%f}",
        contact_id=clock.contact_id,
        name=absence.trigger,
        occurred_at=at,
        properties={"journey": clock.journey_key, "of": list(absence.of), "since": since.isoformat()},
        source=DERIVED,
    )


async def settings_of(
    session: AsyncSession, journey_key: str, contact_ids: Collection[UUID], absence: Absence, now: datetime
) -> list[ClockSetting]:
    """The clocks of these contacts by what the log knows of them; none for those without such an event.

    They are to be looked at when the silence may be over. Where that is a matter of the calendar, the look tells when.
    """
    signs = await newest_signs(session, contact_ids, absence, now)
    return [
        ClockSetting(
            journey_key=journey_key,
            contact_id=contact_id,
            fingerprint=absence.fingerprint,
            anchor_at=sign.at,
            due_at=sign.at + absence.soonest,
            cause_event_id=sign.event_id,
        )
        for contact_id, sign in signs.items()
    ]
