"""A draft tried for real: over the relay through the workflow to the mail, and what that leaves behind."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import select
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.contacts import ContactActivities
from activities.enrollments import EnrollmentActivities
from activities.journeys import JourneyActivities
from activities.messages import MessagingActivities
from activities.tasks import TaskActivities
from crm.consent import ConsentRepository
from crm.journeys import JourneyRepository
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from crm.models.task import Task
from crm.tryouts import Pace, TryoutRepository
from intake.relay import Relay
from intake.starting import start_requested
from intake.tryouts import Trying, Tryout, try_draft
from intake.vanished import Repair, repair
from journeys.model import Journey
from journeys.outcomes import JourneyState, RefusalReason
from journeys.values import MessageChannel
from kit.database import Sessions
from kit.settings import Settings
from kit.temporal import workflow_runner
from messaging.models import MessageRecord
from tests.support.builders import a_live_journey
from tests.support.intake import Intake
from tests.support.messaging import RecordingChannel, TestClock, a_passage
from tests.support.temporal import eventually
from workflows.inspection import inspect
from workflows.journey import ContactJourney

HOUR = timedelta(hours=1)
STEPS: list[dict[str, Any]] = [
    {"id": "night", "wait": "1 day at 09:00"},
    {"id": "mail", "send": {"template": "welcome"}},
    {"id": "vip", "list": {"add": "vip"}},
    {"id": "call", "task": {"title": "Call", "due": "2d"}},
    {"id": "other", "start": {"journey": "other"}},
    {"id": "again", "send": {"template": "welcome", "repeat": "never"}},
]


@dataclass
class Workshop:
    """Authors and a test user, a relay and a worker with the product's own activities."""

    sessions: Sessions
    temporal: WorkflowEnvironment
    relay: Relay
    channel: RecordingChannel
    contact_id: UUID
    clock: TestClock
    tried: list[UUID] = field(default_factory=list)

    async def try_out(self, **parts: Any) -> UUID:
        """Put a draft with these steps, and the test user into it; the enrollment, whose workflow has been started."""
        document = {"key": "hello", "name": "Hello", "owner": "crm", "entry": {}, "steps": STEPS, **parts}
        async with self.sessions.begin() as session:
            draft = await JourneyRepository(session).put_draft(Journey.model_validate(document))
            found = await try_draft(
                session, draft, self.contact_id, Tryout(pace=Pace(HOUR)), by="tests", now=datetime.now(UTC)
            )
        assert isinstance(found, Trying)
        await self.relay.drain()
        return found.enrollment.id

    async def pass_time(self, enrollment_id: UUID, duration: timedelta) -> None:
        handle = self.temporal.client.get_workflow_handle((await self.row(enrollment_id)).workflow_id)

        async def at_rest() -> bool:
            waiting = (await self.row(enrollment_id)).state == JourneyState.WAITING
            return waiting and not (await handle.describe()).raw_description.HasField("pending_workflow_task")

        await eventually(at_rest)
        await self.temporal.fast_forward(handle, duration)

    async def row(self, enrollment_id: UUID) -> Enrollment:
        async with self.sessions() as session:
            return await session.get_one(Enrollment, enrollment_id)

    async def ended(self, enrollment_id: UUID) -> Enrollment:
        async def over() -> Enrollment | None:
            row = await self.row(enrollment_id)
            return row if row.ended_at is not None else None

        found = await eventually(over)
        assert found is not None
        return found

    async def messages(self, enrollment_id: UUID) -> Mapping[str, MessageRecord]:
        async with self.sessions() as session:
            query = select(MessageRecord).where(MessageRecord.enrollment_id == enrollment_id)
            return {one.step: one for one in await session.scalars(query)}

    async def events(self) -> list[str]:
        async with self.sessions() as session:
            return list(await session.scalars(select(Event.name).order_by(Event.sequence)))


@pytest_asyncio.fixture
async def workshop(sessions: Sessions, temporal: WorkflowEnvironment, database_url: str) -> AsyncIterator[Workshop]:
    passage = await a_passage(sessions, state=JourneyState.COMPLETED)
    async with sessions.begin() as session:
        await TryoutRepository(session).mark(passage.contact.id, test_user=True)
        await a_live_journey(session, {"key": "other"})
    channel, queue = RecordingChannel(), f"tryouts-{uuid4()}"
    clock = TestClock(datetime.now(UTC))
    settings = Settings(weekly_cap=1, resend_after_minutes=1)
    own = [
        MessagingActivities(sessions, {MessageChannel.EMAIL: channel}, settings, clock),
        ContactActivities(sessions),
        TaskActivities(sessions, settings),
        JourneyActivities(sessions, start_requested),
    ]
    names = ["send_message", "change_list", "create_task", "start_journey"]
    activities = [getattr(one, name) for one, name in zip(own, names, strict=True)]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            Worker(
                temporal.client,
                task_queue=queue,
                workflows=[ContactJourney],
                activities=[*activities, EnrollmentActivities(sessions).record_progress],
                workflow_runner=workflow_runner(sandboxed=True),
            )
        )
        relay = Relay(sessions, temporal.client, queue, database_url)
        yield Workshop(sessions, temporal, relay, channel, passage.contact.id, clock)


async def test_a_draft_is_walked_for_real_and_leaves_nothing_but_marked_traces(
    workshop: Workshop, database_url: str
) -> None:
    intake = Intake(workshop.sessions, database_url, now=datetime.now(UTC))
    listener: dict[str, Any] = {"entry": {"event": "list.joined"}, "goal": None, "exit": []}
    await intake.publish("club", **listener)
    test = await workshop.try_out()
    handle = workshop.temporal.client.get_workflow_handle((await workshop.row(test)).workflow_id)
    description = (await handle.describe()).raw_description
    summary = description.execution_config.user_metadata.summary
    assert await workshop.temporal.client.data_converter.decode([summary]) == ["[Test] Hello · v1"]
    await workshop.pass_time(test, HOUR)
    ended = await workshop.ended(test)
    assert (ended.state, ended.is_test) == (JourneyState.COMPLETED, True)
    subjects = [one.subject for one in workshop.channel.sent]
    assert len(subjects) == 2  # neither the cap of one a week nor `repeat: never` holds up a test
    assert all(subject.startswith("[Test] ") for subject in subjects)
    messages = await workshop.messages(test)
    assert {one.counted_at for one in messages.values()} == {None}
    async with workshop.sessions() as session:
        assert await TryoutRepository(session).tests_of(workshop.contact_id) == {test}
        (task,) = await session.scalars(select(Task))
        assert task.title == "[Test] Call"
        others = await session.scalars(select(Enrollment).where(Enrollment.journey_key == "other"))
        assert others.all() == []
    await intake.apply()
    names = await workshop.events()
    assert "list.joined" in names
    assert "journey.completed" not in names
    assert [one.journey_key for one in await intake.enrollments() if one.journey_key == "club"] == []
    await intake.tell(workshop.contact_id, "list.joined", event_id="by-itself")
    assert [one.journey_key for one in await intake.enrollments() if one.journey_key == "club"] == ["club"]


async def test_events_meet_a_test_by_its_own_plan_and_its_goal_is_no_event(
    workshop: Workshop, database_url: str
) -> None:
    intake = Intake(workshop.sessions, database_url, now=datetime.now(UTC) + timedelta(seconds=1))
    goal = {"type": "sell", "event": "review.created", "within": "30d"}
    test = await workshop.try_out(goal=goal, entry={"event": "order.placed"}, steps=[{"id": "rest", "wait": "3d"}])
    async with workshop.sessions.begin() as session:
        draft = await JourneyRepository(session).draft("hello")
        assert draft is not None
        await JourneyRepository(session).discard(draft)  # whatever becomes of the draft
    await intake.tell(workshop.contact_id, "order.placed")
    await intake.tell(workshop.contact_id, "review.created")
    await workshop.relay.drain()
    ended = await workshop.ended(test)
    assert ended.state == JourneyState.GOAL_MET
    assert ended.goal_met_at is not None
    assert await workshop.events() == ["order.placed", "review.created"]
    assert [one.id for one in await intake.enrollments() if one.journey_key == "hello"] == [test]


async def test_a_test_leaves_by_the_exit_condition_and_its_termination_is_no_event(
    workshop: Workshop, database_url: str
) -> None:
    intake = Intake(workshop.sessions, database_url, now=datetime.now(UTC) + timedelta(seconds=1))
    parts: dict[str, Any] = {"exit_when": {"attribute": "plan", "is": "pro"}, "steps": [{"id": "rest", "wait": "3d"}]}
    left = await workshop.try_out(**parts)
    await intake.tell(workshop.contact_id, "contact.identified", {"plan": "pro"})
    await workshop.relay.drain()
    ended = await workshop.ended(left)
    assert (ended.state, ended.outcome.split(":")[0]) == (JourneyState.EXITED, "exit condition holds")

    terminated = await workshop.row(await workshop.try_out(steps=parts["steps"]))
    client = workshop.temporal.client
    await client.get_workflow_handle(terminated.workflow_id).terminate("by hand")
    found = await inspect(client, terminated.workflow_id, terminated.id)
    async with workshop.sessions.begin() as session:
        assert await repair(session, terminated.id, found, datetime.now(UTC)) is Repair.ENDED
    assert (await workshop.row(terminated.id)).state == JourneyState.TERMINATED
    assert await workshop.events() == ["contact.identified", "contact.updated"]


@pytest.mark.parametrize("change", [{"test_address": None}, {"email": "stranger@example.com"}])
async def test_who_is_no_test_user_any_more_is_sent_nothing(workshop: Workshop, change: dict[str, Any]) -> None:
    test = await workshop.try_out(steps=STEPS[:2])
    async with workshop.sessions.begin() as session:
        contact = await session.get_one(Contact, workshop.contact_id)
        for name, value in change.items():
            setattr(contact, name, value)
    await workshop.pass_time(test, HOUR)
    await workshop.ended(test)
    message = (await workshop.messages(test))["mail"]
    assert (message.state, message.refusal) == ("refused", RefusalReason.NOT_A_TEST_USER)
    assert workshop.channel.sent == []


async def test_a_test_user_without_consent_is_sent_no_marketing(workshop: Workshop) -> None:
    async with workshop.sessions.begin() as session:
        await ConsentRepository(session).record(
            workshop.contact_id,
            purpose="marketing",
            channel="email",
            state="withdrawn",
            source="test",
            occurred_at=datetime.now(UTC),
        )
    test = await workshop.try_out(steps=STEPS[:2])
    await workshop.pass_time(test, HOUR)
    await workshop.ended(test)
    assert (await workshop.messages(test))["mail"].refusal == RefusalReason.NO_CONSENT
