"""What a condition needs to know of one contact, read in one place. Judging it is pure and in `journeys.conditions`."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.consent import ConsentRepository
from crm.events import EventRepository
from crm.lists import ListRepository
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.score import Score
from crm.models.segment import SegmentMember
from crm.score_sheets import event_fact
from journeys.conditions.base import EventFact, Facts, Needs
from journeys.stages import Stage
from journeys.traits import FIELDS
from kit.errors import NotFound

MOST_EVENTS = 10_000
"""So many events a condition looks at, the newest. A contact with more of the names asked for is a machine."""


async def load_facts(
    session: AsyncSession,
    contact_id: UUID,
    needs: Needs,
    now: datetime,
    *,
    enrollment: Enrollment | None = None,
    entry: Mapping[str, Any] | None = None,
    results: Mapping[str, str] | None = None,
    step_since: datetime | None = None,
    steps: Mapping[str, Mapping[str, Any]] | None = None,
) -> Facts:
    """The facts as of `now`: only what `needs` names is read. `entry` stands in where no enrollment exists yet.

    `since: entry` counts from the *occurrence* of the entry, in an import too: events that occurred then or later, the
    entry event left out, whenever they were received (ADR 0004). `steps` is what earlier steps have met.

    Raises:
        NotFound: the contact does not exist.
    """
    contact = await session.get(Contact, contact_id, populate_existing=True)
    if contact is None:
        raise NotFound(f"There is no contact {contact_id}.", remedy="It may have been erased.")
    return Facts(
        now=now,
        attributes=attributes_of(contact),
        events=await _events(session, contact_id, needs.events, now),
        lists=await ListRepository(session).of(contact_id) if needs.lists else frozenset(),
        segments=await _segments(session, contact_id, needs.segments),
        consents=await ConsentRepository(session).standing(contact_id) if needs.consents else frozenset(),
        scores=await _scores(session, contact_id, needs.score_models),
        stage=Stage(contact.stage),
        entry=(enrollment.entry_properties if enrollment is not None else entry) or {},
        results=results or {},
        enrollment=str(enrollment.id) if enrollment is not None else "",
        steps=steps or {},
        entry_event_id=(enrollment.entry_event_id or "") if enrollment is not None else "",
        entry_sequence=enrollment.entry_sequence if enrollment is not None else 0,
        entered_at=enrollment.entered_at if enrollment is not None else None,
        step_since=step_since,
    )


def attributes_of(contact: Contact) -> dict[str, Any]:
    """What is known of the contact by attribute name: the typed fields that have a value, and the free attributes."""
    typed = {name: getattr(contact, name) for name in FIELDS}
    return {**contact.attributes, **{name: value for name, value in typed.items() if value is not None}}


async def _events(
    session: AsyncSession, contact_id: UUID, names: Collection[str], now: datetime
) -> tuple[EventFact, ...]:
    if not names:
        return ()
    events = await EventRepository(session).history(contact_id, names=names, until=now, limit=MOST_EVENTS)
    return tuple(event_fact(event) for event in events)


async def _segments(session: AsyncSession, contact_id: UUID, keys: Collection[str]) -> frozenset[str]:
    if not keys:
        return frozenset()
    query = select(SegmentMember.segment_key).where(
        SegmentMember.contact_id == contact_id, SegmentMember.segment_key.in_(keys)
    )
    return frozenset(await session.scalars(query))


async def _scores(session: AsyncSession, contact_id: UUID, models: Collection[str]) -> dict[str, int]:
    """Points by model; a contact that no event was counted for has none, which is 0."""
    if not models:
        return {}
    query = select(Score.model_key, Score.points).where(Score.contact_id == contact_id, Score.model_key.in_(models))
    known = {row.model_key: row.points for row in await session.execute(query)}
    return {model: known.get(model, 0) for model in models}
