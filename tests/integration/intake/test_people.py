"""Tasks and stages as intake hears of them: whose task it was, who waits for a stage, who starts on it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from crm.models.enrollment import Enrollment
from crm.stages import StageRepository, Wanted
from crm.tasks import Closing, NewTask, TaskRepository, TaskState
from journeys.stages import Stage
from tests.support.intake import NOW, Intake

CALL: dict[str, Any] = {"id": "call", "task": {"title": "Call", "due": "2d"}}


def waiting(**where: str) -> dict[str, Any]:
    return {
        "entry": {"event": "order.placed", "again": {"per": "order_id"}},
        "goal": None,
        "exit": [],
        "steps": [CALL, {"id": "called", "wait_for": {"event": "task.done", "where": where, "up_to": "5d"}}],
    }


async def make(intake: Intake, enrollment: Enrollment) -> UUID:
    """A task of the step `call`, as its activity makes it."""
    async with intake.sessions.begin() as session:
        new = NewTask(
            contact_id=enrollment.contact_id,
            enrollment_id=enrollment.id,
            journey_key=enrollment.journey_key,
            step="call",
            iteration=1,
            kind="todo",
            title="Call",
            details="",
            owner="sales",
            due_at=NOW + timedelta(days=2),
            cancel_at_end=False,
            created_at=NOW,
        )
        return (await TaskRepository(session).create(new)).id


async def complete(intake: Intake, task: UUID) -> None:
    async with intake.sessions.begin() as session:
        await TaskRepository(session).close(task, Closing(TaskState.DONE, "reached", "key:tests", NOW))
    await intake.apply()


async def told(intake: Intake) -> list[UUID]:
    """The enrollments that are told of a task they wait for."""
    return [enrollment for kind, enrollment, criteria in await intake.outbox() if "step:called" in criteria]


async def test_of_several_enrollments_only_the_one_whose_task_it_was_is_told(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish("first", **waiting(step="call"))
    await intake.publish("second", **waiting(step="call"))
    for order in ("a", "b"):
        await intake.tell(contact, "order.placed", {"order_id": order})
    enrollments = await intake.enrollments()
    assert len(enrollments) == 4
    tasks = [await make(intake, enrollment) for enrollment in enrollments]

    await complete(intake, tasks[2])

    assert await told(intake) == [enrollments[2].id]


async def test_who_names_a_journey_is_told_of_its_tasks(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish("asking", **waiting(step="call"))
    await intake.publish("watching", **waiting(journey="asking", step="call", outcome="reached"))
    await intake.tell(contact, "order.placed", {"order_id": "a"})
    by_journey = {enrollment.journey_key: enrollment for enrollment in await intake.enrollments()}

    await complete(intake, await make(intake, by_journey["asking"]))

    assert set(await told(intake)) == {enrollment.id for enrollment in by_journey.values()}


async def test_a_change_of_stage_has_those_look_who_wait_for_it_and_starts_journeys(intake: Intake) -> None:
    contact = await intake.contact()
    ready = {"id": "ready", "wait_for": {"condition": {"stage": {"at_least": "sql"}}, "up_to": "30d"}}
    await intake.publish("nurture", exit=[], steps=[ready])
    await intake.publish("onboard", entry={"event": "stage.changed", "where": {"to": "customer"}}, goal=None, exit=[])
    await intake.tell(contact, "order.placed", {"order_id": "a"})

    for stage in (Stage.LEAD, Stage.CUSTOMER):
        async with intake.sessions.begin() as session:
            await StageRepository(session).change(contact, Wanted(stage, f"to-{stage}", "key:tests", NOW))
        await intake.apply()

    nurture, onboard = await intake.enrollments()
    assert (nurture.journey_key, onboard.journey_key) == ("nurture", "onboard")
    assert onboard.entry_properties == {"from": "lead", "to": "customer"}
    looks = [enrollment for _, enrollment, criteria in await intake.outbox() if "look:ready:1" in criteria]
    assert looks == [nurture.id, nurture.id]
