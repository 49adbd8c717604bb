"""The frequency cap, from journey to ledger: real workflows whose time is skipped, on a real database."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import select
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.enrollments import EnrollmentActivities
from activities.messages import MessagingActivities
from crm.journeys import plan_of
from crm.models.enrollment import Enrollment
from journeys.outcomes import JourneyState
from journeys.plan import Plan
from journeys.values import MessageChannel
from kit.database import Sessions
from kit.settings import Settings
from kit.temporal import workflow_runner
from messaging.models import MessageRecord
from tests.support.builders import a_live_journey, an_enrollment
from tests.support.messaging import RecordingChannel, TestClock, a_passage, a_template
from tests.support.temporal import eventually
from workflows import starter
from workflows.journey import ContactJourney
from workflows.messages import JourneyRun, Outcome, compact_plan
from workflows.names import journey_workflow_id

WEEK, SECOND = timedelta(days=7), timedelta(seconds=1)


@dataclass
class Ride:
    """One enrollment of the contact, running in Temporal and kept in PostgreSQL."""

    shop: "Shop"
    enrollment_id: UUID
    handle: WorkflowHandle[Any, Outcome]

    async def row(self) -> Enrollment:
        async with self.shop.sessions() as session:
            return await session.get_one(Enrollment, self.enrollment_id)

    async def sent_at(self) -> datetime | None:
        """When its mail was sent, as the cap counts; None where it was not."""
        async with self.shop.sessions() as session:
            of_it = MessageRecord.enrollment_id == self.enrollment_id
            return await session.scalar(select(MessageRecord.counted_at).where(of_it))

    async def waits(self, *, longer_than: datetime | None = None) -> datetime:
        """Until when it waits, as soon as the database says that it does."""

        async def waiting() -> datetime | None:
            row = await self.row()
            found = row.due_at if row.state == JourneyState.WAITING else None
            return found if found is not None and (longer_than is None or found > longer_than) else None

        due = await eventually(waiting)
        assert due is not None
        return due

    async def pass_until(self, instant: datetime) -> None:
        """Let its time pass up to this instant."""

        async def at_rest() -> bool:
            return not (await self.handle.describe()).raw_description.HasField("pending_workflow_task")

        await eventually(at_rest)
        now = await self.shop.temporal.get_current_time(self.handle)
        await self.shop.temporal.fast_forward(self.handle, instant - now)


@dataclass
class Shop:
    """A contact with consent, and a worker that sends at most one marketing message a week."""

    sessions: Sessions
    temporal: WorkflowEnvironment
    contact_id: UUID
    task_queue: str

    async def enrolls(self, journey: str, **parts: Any) -> Ride:
        """The contact in a journey that writes to it at once."""
        await a_template(self.sessions, journey, message_class="marketing")
        steps = [{"id": "mail", "send": {"template": journey}}]
        async with self.sessions.begin() as session:
            version = await a_live_journey(session, {"key": journey, "steps": steps, **parts})
            plan, now = plan_of(version), datetime.now(UTC)
            enrollment = await an_enrollment(session, self.contact_id, version, entered_at=now)
            enrollment_id = enrollment.id
        return Ride(self, enrollment_id, await self._started(enrollment_id, plan, now))

    async def _started(self, enrollment_id: UUID, plan: Plan, now: datetime) -> WorkflowHandle[Any, Outcome]:
        run = JourneyRun(
            enrollment_id=enrollment_id, contact_id=self.contact_id, plan=compact_plan(plan), entered_at=now
        )
        workflow_id = journey_workflow_id(plan.journey, self.contact_id)
        client = self.temporal.client
        await starter.start_journey(client, run, plan, workflow_id=workflow_id, task_queue=self.task_queue)
        return client.get_workflow_handle_for(ContactJourney.run, workflow_id)


@pytest.fixture
def limits() -> dict[str, Any]:
    """What the settings of the worker allow."""
    return {"weekly_cap": 1}


@pytest_asyncio.fixture
async def shop(sessions: Sessions, temporal: WorkflowEnvironment, limits: dict[str, Any]) -> AsyncIterator[Shop]:
    passage = await a_passage(sessions)
    # The wall clock stands still while the journeys' time is skipped: theirs decides, as it does when none is late.
    messages = MessagingActivities(
        sessions,
        {MessageChannel.EMAIL: RecordingChannel("smtp")},
        Settings(**limits, daily_cap=0, cap_wait_hours=24 * 30, overdue_after_hours=1_000),
        TestClock(datetime.now(UTC) - timedelta(minutes=1)),
    )
    task_queue = f"journeys-{uuid4()}"
    async with AsyncExitStack() as exits:
        exits.push_async_callback(messages.close)
        await exits.enter_async_context(
            Worker(
                temporal.client,
                task_queue=task_queue,
                workflows=[ContactJourney],
                activities=[messages.send_message, EnrollmentActivities(sessions).record_progress],
                workflow_runner=workflow_runner(sandboxed=True),
            )
        )
        yield Shop(sessions, temporal, passage.contact.id, task_queue)


async def test_the_second_mail_of_a_contact_waits_visibly_and_leaves_at_the_very_instant(shop: Shop) -> None:
    first = await shop.enrolls("first")
    await first.handle.result()
    sent = await first.sent_at()
    assert sent is not None

    second = await shop.enrolls("second")

    assert await second.waits() == sent + WEEK
    explanation = await starter.explain(shop.temporal.client, second.handle.id)
    assert (explanation.state, explanation.step, explanation.until) == (JourneyState.WAITING, "mail", sent + WEEK)
    assert explanation.held_back == ("The contact has had 1 marketing message within 7 days: no more are allowed.")
    await second.pass_until(sent + WEEK - SECOND)
    assert await second.sent_at() is None
    await second.pass_until(sent + WEEK + SECOND)
    assert (await second.handle.result()).state is JourneyState.COMPLETED
    left = await second.sent_at()
    assert left is not None
    assert timedelta() <= left - (sent + WEEK) <= SECOND


@pytest.mark.parametrize("asks_first", ["urgent", "newsletter"])
async def test_of_two_that_wait_the_one_of_higher_priority_goes_first(shop: Shop, asks_first: str) -> None:
    first = await shop.enrolls("first")
    await first.handle.result()
    rides = {"newsletter": await shop.enrolls("newsletter", priority="low")}
    until = await rides["newsletter"].waits()
    rides["urgent"] = await shop.enrolls("urgent", priority="high")
    assert await rides["urgent"].waits() == until

    for name in sorted(rides, key=lambda name: name != asks_first):
        await rides[name].pass_until(until + SECOND)

    assert (await rides["urgent"].handle.result()).state is JourneyState.COMPLETED
    assert await rides["newsletter"].waits(longer_than=until) > until
    assert await rides["newsletter"].sent_at() is None
    left = await rides["urgent"].sent_at()
    assert left is not None
    assert until <= left <= until + SECOND


@pytest.mark.parametrize("limits", [{"weekly_cap": 0, "smtp_per_second": 1 / 600}], ids=["a mail every ten minutes"])
async def test_a_mail_too_many_for_the_provider_waits_visibly_for_a_turn_that_is_its_own(shop: Shop) -> None:
    first = await shop.enrolls("first")
    await first.handle.result()
    sent = await first.sent_at()
    assert sent is not None
    every = timedelta(minutes=10)

    second, third = await shop.enrolls("second"), await shop.enrolls("third")

    assert [await second.waits(), await third.waits()] == [sent + every, sent + 2 * every]
    explanation = await starter.explain(shop.temporal.client, second.handle.id)
    assert (explanation.state, explanation.step, explanation.until) == (JourneyState.WAITING, "mail", sent + every)
    assert explanation.held_back.startswith("Its turn is at ")
    assert explanation.held_back.endswith(": smtp takes 0.1 mails a minute.")
    for ride, turn in ((second, sent + every), (third, sent + 2 * every)):
        await ride.pass_until(turn + SECOND)
        assert (await ride.handle.result()).state is JourneyState.COMPLETED
        left = await ride.sent_at()
        assert left is not None
        assert timedelta() <= left - turn <= SECOND
