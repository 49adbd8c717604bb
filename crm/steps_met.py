"""What earlier steps of an enrollment have met: the events their decisions name, with their properties."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.enrollment import DecisionRecord
from crm.models.event import Event
from journeys.former_names import FormerNames, spans_of
from journeys.outcomes import StepVerdict


async def steps_met(
    session: AsyncSession,
    enrollment_id: UUID,
    contact_id: UUID,
    steps: Collection[str],
    *,
    unwritten: Mapping[str, str | None] | None = None,
    former: FormerNames = MappingProxyType({}),
) -> dict[str, Mapping[str, Any]]:
    """By step, the properties of the event that the step's latest departure was caused by; without steps that met none.

    Args:
        session: of the caller's transaction.
        enrollment_id: whose steps.
        contact_id: whose events.
        steps: of these steps only.
        unwritten: event ids by step, of departures that are not written down yet.
        former: what steps were called before, where they have been renamed.
    """
    if not steps:
        return {}
    written = await _causes(session, enrollment_id, steps, former)
    causes = {step: cause for step, cause in {**written, **(unwritten or {})}.items() if cause and step in steps}
    query = select(Event.event_id, Event.properties).where(
        Event.event_id.in_(causes.values()), Event.contact_id == contact_id
    )
    properties: dict[str, Mapping[str, Any]] = {row.event_id: row.properties for row in await session.execute(query)}
    return {step: properties[cause] for step, cause in causes.items() if cause in properties}


async def _causes(
    session: AsyncSession, enrollment_id: UUID, steps: Collection[str], former: FormerNames
) -> dict[str, str | None]:
    """By step, what caused its latest departure. Being moved to another version is no departure of the step's own."""
    spans = {step: list(spans_of(step, former)) for step in steps}
    names = {span.name for known in spans.values() for span in known}
    query = (
        select(DecisionRecord.step, DecisionRecord.at, DecisionRecord.cause_event_id)
        .where(DecisionRecord.enrollment_id == enrollment_id, DecisionRecord.step.in_(names))
        .where(DecisionRecord.verdict != StepVerdict.MIGRATED)
        .order_by(DecisionRecord.ordinal)
    )
    causes: dict[str, str | None] = {}
    for row in await session.execute(query):
        causes |= {step: row.cause_event_id for step in steps if any(s.covers(row.step, row.at) for s in spans[step])}
    return causes
