"""An enrollment, and the requests of its workflow."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from activities.contacts import ContactActivities
from crm.models.enrollment import Enrollment
from journeys.conditions.first import FirstHolding
from journeys.outcomes import JourneyState
from kit.database import Sessions
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment
from workflows.ports import ActionRequest, JudgeConditions, Progress

NOW = SOME_DAY + timedelta(days=3)
Request = TypeVar("Request", bound=ActionRequest)
Ask = Callable[..., Awaitable[FirstHolding]]


@pytest.fixture
async def enrollment(sessions: Sessions) -> Enrollment:
    """An enrollment of a contact who is on no list and has done nothing."""
    async with sessions.begin() as session:
        contact = await a_contact(session, plan="pro")
        version = await a_live_journey(session)
        properties = {"product_id": "p1", "seats": 3, "zone": "Nowhere"}
        return await an_enrollment(session, contact.id, version, entry_properties=properties)


def a_request(kind: type[Request], enrollment: Enrollment, **fields: Any) -> Request:
    """A request of the enrollment's workflow, from its step `act`, at `NOW`."""
    progress = Progress(enrollment_id=enrollment.id, state=JourneyState.RUNNING, step="act", since=NOW)
    common: Mapping[str, Any] = {
        "enrollment_id": enrollment.id,
        "contact_id": enrollment.contact_id,
        "step": "act",
        "iteration": 1,
        "now": NOW,
        "progress": progress,
    }
    return kind(**{**common, **fields})


@pytest.fixture
def first_holding(sessions: Sessions, enrollment: Enrollment) -> Ask:
    """Asks which of the conditions is the first that holds."""
    activities = ContactActivities(sessions)

    async def ask(conditions: list[dict[str, Any]], **fields: Any) -> FirstHolding:
        fields = {"conditions": conditions, "entered_at": enrollment.entered_at} | fields
        return await activities.judge_conditions(a_request(JudgeConditions, enrollment, **fields))

    return ask
