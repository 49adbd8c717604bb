"""The end of an enrollment is an event, told once, on which another journey may start."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from activities.enrollments import EnrollmentActivities
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from journeys.outcomes import JourneyState, StepVerdict
from tests.support.intake import NOW, Intake
from workflows.ports import Progress
from workflows.state import Decision

ENDS = ("journey.completed", "journey.exited")


async def running(intake: Intake) -> Enrollment:
    contact = await intake.contact()
    await intake.publish(goal=None, entry={"event": "cart.left"}, exit=[])
    await intake.tell(contact, "cart.left")
    (enrollment,) = await intake.enrollments()
    return enrollment


async def end(intake: Intake, enrollment: Enrollment, state: JourneyState, *, late: timedelta = timedelta()) -> None:
    at = NOW + late
    last = Decision(ordinal=0, step="gone", verdict=StepVerdict.EXITED, because="enough", entered_at=NOW, at=at)
    progress = Progress(
        enrollment_id=enrollment.id, state=state, step=None, since=at, outcome="enough of Ada", decisions=[last]
    )
    await EnrollmentActivities(intake.sessions).record_progress(progress)


async def told(intake: Intake) -> list[Event]:
    async with intake.sessions() as session:
        return list(await session.scalars(select(Event).where(Event.name.in_(ENDS))))


@pytest.mark.parametrize(
    ("state", "name"), [(JourneyState.COMPLETED, "journey.completed"), (JourneyState.EXITED, "journey.exited")]
)
async def test_an_end_is_told_once_with_its_step_and_without_words(
    intake: Intake, state: JourneyState, name: str
) -> None:
    enrollment = await running(intake)
    for _ in range(2):
        await end(intake, enrollment, state)
    (event,) = await told(intake)
    assert (event.name, event.event_id, event.source) == (name, f"{name}:{enrollment.id}", "derived")
    assert (event.contact_id, event.occurred_at) == (enrollment.contact_id, NOW)
    assert event.properties == {"journey": "review", "step": "gone"}


async def test_a_late_report_of_another_end_is_not_told(intake: Intake) -> None:
    enrollment = await running(intake)
    await end(intake, enrollment, JourneyState.COMPLETED)
    await end(intake, enrollment, JourneyState.EXITED, late=timedelta(hours=1))
    assert [event.name for event in await told(intake)] == ["journey.completed"]


async def test_the_end_by_a_goal_is_told_as_the_goal_alone(intake: Intake) -> None:
    await end(intake, await running(intake), JourneyState.GOAL_MET)
    assert await told(intake) == []


async def test_another_journey_starts_where_a_contact_left_at_a_step(intake: Intake) -> None:
    enrollment = await running(intake)
    for key, step in (("taker", "gone"), ("other", "elsewhere")):
        entry = {"event": "journey.exited", "where": {"journey": "review", "step": step}}
        await intake.publish(key, entry=entry, goal=None, exit=[])
    await end(intake, enrollment, JourneyState.EXITED)
    await intake.apply()
    assert sorted(one.journey_key for one in await intake.enrollments()) == ["review", "taker"]
