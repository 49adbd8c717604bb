"""Filling in what a request refers to of earlier steps. What it carries unwritten counts, too."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.steps_met import steps_met
from journeys.step_references import StepsMet, steps_named
from workflows.ports import ActionRequest


async def met_by_steps(session: AsyncSession, request: ActionRequest, document: Any) -> StepsMet:
    """What the steps have met that the document, a part of the request, refers to."""
    unwritten = {decision.step: decision.cause_event_id for decision in request.progress.decisions}
    return await steps_met(
        session, request.enrollment_id, request.contact_id, steps_named(document), unwritten=unwritten
    )
