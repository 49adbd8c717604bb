from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError

from activities.enrollments import EnrollmentActivities
from crm.enrollments import EnrollmentRepository
from journeys.outcomes import JourneyState, StepVerdict
from kit.database import Sessions
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment
from workflows.ports import Progress
from workflows.state import Decision


async def test_progress_becomes_the_projection(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        contact = await a_contact(session)
        enrollment = await an_enrollment(session, contact.id, await a_live_journey(session))
    decision = Decision(
        ordinal=0,
        step="pause",
        verdict=StepVerdict.PASSED,
        because="1 day has passed",
        entered_at=SOME_DAY,
        at=SOME_DAY + timedelta(days=1),
        next_step="mail",
    )
    progress = Progress(
        enrollment_id=enrollment.id,
        state=JourneyState.NEEDS_ATTENTION,
        step="mail",
        since=SOME_DAY + timedelta(days=1),
        attention="Invalid: there is no template",
        decisions=[decision],
    )

    for _ in range(2):
        await EnrollmentActivities(sessions).record_progress(progress)

    async with sessions() as session:
        found = await EnrollmentRepository(session).get(enrollment.id)
        (stored,) = await EnrollmentRepository(session).decisions(enrollment.id)
    assert found is not None
    assert (found.state, found.step, found.attention) == ("needs_attention", "mail", "Invalid: there is no template")
    assert (stored.step, stored.verdict, stored.because, stored.next_step) == (
        "pause",
        "passed",
        "1 day has passed",
        "mail",
    )


async def test_an_enrollment_that_is_gone_fails_for_good(sessions: Sessions) -> None:
    progress = Progress(enrollment_id=uuid4(), state=JourneyState.RUNNING, step="pause", since=SOME_DAY)

    with pytest.raises(ApplicationError) as caught:
        await EnrollmentActivities(sessions).record_progress(progress)

    assert (caught.value.type, caught.value.non_retryable) == ("NotFound", True)
