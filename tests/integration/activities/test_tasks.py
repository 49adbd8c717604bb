"""Tasks that steps make: once, filled in, due where the contact lives; cancelled at the end where the step says so."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from temporalio.exceptions import ApplicationError

from activities.enrollments import EnrollmentActivities
from activities.tasks import TaskActivities
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from crm.models.task import Task
from journeys.outcomes import JourneyState
from kit.database import Sessions
from kit.settings import Settings
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment
from workflows.ports import CreateTask, Progress

NOW = SOME_DAY + timedelta(days=3)


@pytest.fixture
async def enrollment(sessions: Sessions) -> Enrollment:
    async with sessions.begin() as session:
        contact = await a_contact(session, time_zone="Asia/Tokyo")
        version = await a_live_journey(session)
        return await an_enrollment(session, contact.id, version, entry_properties={"order_id": "A-1"})


@pytest.fixture
def activities(sessions: Sessions) -> TaskActivities:
    return TaskActivities(sessions, Settings())


def asked(enrollment: Enrollment, **fields: Any) -> CreateTask:
    progress = Progress(enrollment_id=enrollment.id, state=JourneyState.RUNNING, step="call", since=NOW)
    common: dict[str, Any] = {
        "enrollment_id": enrollment.id,
        "contact_id": enrollment.contact_id,
        "step": "call",
        "iteration": 1,
        "now": NOW,
        "progress": progress,
        "kind": "call",
        "title": "Call about $entry.order_id",
        "details": "Ask for $entry.nobody.",
        "owner": "sales",
        "due": "2d",
    }
    return CreateTask(**{**common, **fields})


async def tasks(sessions: Sessions) -> list[Task]:
    async with sessions() as session:
        return list(await session.scalars(select(Task).order_by(Task.id)))


async def events(sessions: Sessions) -> list[Event]:
    async with sessions() as session:
        return list(await session.scalars(select(Event).order_by(Event.sequence)))


async def end(sessions: Sessions, enrollment: Enrollment) -> None:
    ended = Progress(enrollment_id=enrollment.id, state=JourneyState.EXITED, step=None, since=NOW, outcome="left")
    await EnrollmentActivities(sessions).record_progress(ended)


async def test_a_task_is_due_in_the_zone_of_the_journey_where_the_contact_has_none(
    sessions: Sessions, activities: TaskActivities, enrollment: Enrollment
) -> None:
    async with sessions.begin() as session:
        await session.execute(update(Contact).values(time_zone=None))
    await activities.create_task(asked(enrollment, due="1 day at 09:00", time_zone="America/New_York"))

    (task,) = await tasks(sessions)
    assert task.due_at.astimezone(ZoneInfo("America/New_York")).time() == time(9)


async def test_a_task_is_made_once_and_told_without_its_texts(
    sessions: Sessions, activities: TaskActivities, enrollment: Enrollment
) -> None:
    results = [await activities.create_task(asked(enrollment)) for _ in range(2)]

    (task,) = await tasks(sessions)
    assert (task.title, task.details, task.owner, task.state) == ("Call about A-1", "Ask for ….", "sales", "open")
    assert task.due_at == NOW + timedelta(days=2)
    assert results[0] == results[1]
    assert (results[0].result, results[0].because) == ("created", f"task {task.id} for sales")
    (event,) = await events(sessions)
    assert (event.name, event.event_id) == ("task.created", f"task.created:{enrollment.id}:call:1")
    assert event.properties == {
        "task": str(task.id),
        "kind": "call",
        "step": "call",
        "journey": "welcome-test",
        "enrollment": str(enrollment.id),
        "owner": "sales",
    }


async def test_each_round_makes_its_own(sessions: Sessions, activities: TaskActivities, enrollment: Enrollment) -> None:
    for iteration in (1, 2):
        await activities.create_task(asked(enrollment, iteration=iteration))
    assert [task.iteration for task in await tasks(sessions)] == [1, 2]


async def test_it_is_due_by_the_clock_of_the_contact_or_when_the_window_opens(
    sessions: Sessions, activities: TaskActivities, enrollment: Enrollment
) -> None:
    window = {"days": "mon-fri", "from": "08:00", "to": "12:00"}
    await activities.create_task(asked(enrollment, due="1 day at 09:00"))
    await activities.create_task(asked(enrollment, step="write", due="next_window", window=window))

    called, written = await tasks(sessions)
    assert called.due_at == datetime(2026, 3, 6, 0, 0, tzinfo=UTC)  # 09:00 in Tokyo
    assert written.due_at == datetime(2026, 3, 5, 23, 0, tzinfo=UTC)


async def test_without_a_window_it_fails_for_good(activities: TaskActivities, enrollment: Enrollment) -> None:
    with pytest.raises(ApplicationError) as caught:
        await activities.create_task(asked(enrollment, due="next_window"))
    assert (caught.value.type, caught.value.non_retryable) == ("Invalid", True)


async def test_nobody_is_called_who_is_held_out(
    sessions: Sessions, activities: TaskActivities, enrollment: Enrollment
) -> None:
    async with sessions.begin() as session:
        (await session.get_one(Enrollment, enrollment.id)).holdout = True

    assert (await activities.create_task(asked(enrollment))).result == "held_out"
    assert await tasks(sessions) == []


async def test_when_the_enrollment_ends_only_what_says_so_is_cancelled(
    sessions: Sessions, activities: TaskActivities, enrollment: Enrollment
) -> None:
    await activities.create_task(asked(enrollment))
    await activities.create_task(asked(enrollment, step="letter", at_end="cancel"))
    for _ in range(2):
        await end(sessions, enrollment)

    assert [(task.step, task.state, task.outcome) for task in await tasks(sessions)] == [
        ("call", "open", ""),
        ("letter", "cancelled", "the enrollment has ended"),
    ]
    told = [event.name for event in await events(sessions) if event.name.startswith("task.")]
    assert told == ["task.created", "task.created", "task.cancelled"]
