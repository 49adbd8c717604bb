"""Filling in what a request refers to of earlier steps. What it carries unwritten counts, too."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.steps_met import steps_met
from journeys.former_names import spans_of
from journeys.outcomes import StepVerdict
from journeys.step_references import StepsMet, steps_named
from workflows.ports import ActionRequest


async def met_by_steps(session: AsyncSession, request: ActionRequest, document: Any) -> StepsMet:
    """What the steps have met that the document, a part of the request, refers to."""
    steps, former = steps_named(document), request.former
    spans = {step: list(spans_of(step, former)) for step in steps}
    unwritten = {
        step: one.cause_event_id
        for one in request.progress.decisions
        if one.verdict is not StepVerdict.MIGRATED
        for step in steps
        if any(span.covers(one.step, one.at) for span in spans[step])
    }
    return await steps_met(
        session, request.enrollment_id, request.contact_id, steps, unwritten=unwritten, former=former
    )
