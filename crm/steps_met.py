"""What earlier steps of an enrollment have met: the events their decisions name, with their properties."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.enrollment import DecisionRecord
from crm.models.event import Event


async def steps_met(
    session: AsyncSession,
    enrollment_id: UUID,
    contact_id: UUID,
    steps: Collection[str],
    *,
    unwritten: Mapping[str, str | None] | None = None,
) -> dict[str, Mapping[str, Any]]:
    """By step, the properties of the event that the step's latest departure was caused by; without steps that met none.

    Args:
        session: of the caller's transaction.
        enrollment_id: whose steps.
        contact_id: whose events.
        steps: of these steps only.
        unwritten: event ids by step, of departures that are not written down yet.
    """
    if not steps:
        return {}
    written = await _causes(session, enrollment_id, steps)
    causes = {step: cause for step, cause in {**written, **(unwritten or {})}.items() if cause and step in steps}
    query = select(Event.event_id, Event.properties).where(
        Event.event_id.in_(causes.values()), Event.contact_id == contact_id
    )
    properties: dict[str, Mapping[str, Any]] = {row.event_id: row.properties for row in await session.execute(query)}
    return {step: properties[cause] for step, cause in causes.items() if cause in properties}


async def _causes(session: AsyncSession, enrollment_id: UUID, steps: Collection[str]) -> dict[str, str | None]:
    query = (
        select(DecisionRecord.step, DecisionRecord.cause_event_id)
        .distinct(DecisionRecord.step)
        .where(DecisionRecord.enrollment_id == enrollment_id, DecisionRecord.step.in_(steps))
        .order_by(DecisionRecord.step, DecisionRecord.ordinal.desc())
    )
    return {row.step: row.cause_event_id for row in await session.execute(query)}
