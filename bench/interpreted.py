"""A journey started as the relay starts one, without a database. The hand-written workflows are in `bench.bare`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from temporalio.client import Client

from bench.workers import INTERPRETER
from journeys.plan import Plan
from workflows import starter
from workflows.messages import JourneyRun


async def start_interpreted(client: Client, plan: Plan, compact: Mapping[str, Any], contact: UUID) -> str:
    """Start the plan for a contact; the workflow's id. `compact` is the plan as it travels, made once for all."""
    run = JourneyRun(
        enrollment_id=contact,
        contact_id=contact,
        plan=compact,
        entered_at=datetime.now(UTC),
        entry_event_id="entry",
        entry_event="bench.entered",
    )
    workflow_id = f"{plan.journey}:{contact}"
    await starter.start_journey(client, run, plan, workflow_id=workflow_id, task_queue=INTERPRETER)
    return workflow_id
