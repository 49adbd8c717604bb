"""A plan and states of it, without Temporal."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from journeys.plan import Plan
from tests.support.temporal import a_plan
from workflows.state import EnrollmentState
from workflows.transitions import begin

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ENROLLMENT = UUID(int=1)


@pytest.fixture
def plan() -> Plan:
    return a_plan(
        [
            {"id": "pause", "wait": "1d"},
            {
                "id": "asked",
                "wait_for": {"event": "page.viewed", "up_to": "2d", "since": "step"},
                "then": [{"id": "thanks", "send": {"template": "thanks"}}],
                "else": [{"id": "reminder", "send": {"template": "reminder"}}],
            },
            {"id": "bought", "wait_for": {"event": "order.placed", "up_to": "2d"}},
            {
                "id": "reviewed",
                "if": {"none": {"event": "review.created"}},
                "then": [{"id": "request", "send": {"template": "request"}}],
                "else": [{"id": "done", "exit": "reviewed already"}],
            },
        ],
        goal={"type": "sell", "event": "review.created", "within": "30d"},
        exit=[{"event": "order.refunded"}],
    )


@pytest.fixture
def state(plan: Plan) -> EnrollmentState:
    return begin(plan, entered_at=NOW, now=NOW)
