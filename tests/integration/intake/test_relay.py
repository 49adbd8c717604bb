"""The relay on a real Temporal server: order, repetition, what is over, outages on either side."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import delete, insert, update
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from cli.stack.embedded import EmbeddedTemporal
from crm.models.enrollment import Enrollment
from crm.models.event import QueuedEvent
from intake.models import OutboxEntry
from intake.relay import Relay
from kit.settings import Settings
from kit.temporal import connect
from tests.support.intake import NOW, Intake
from tests.support.ports import World
from tests.support.temporal import eventually, journey_worker

WAITING: dict[str, Any] = {
    "goal": None,
    "exit": [],
    "steps": [{"id": "tick", "wait_for": {"event": "tick", "up_to": "9d"}}],
}


@dataclass
class Relaying:
    """A relay between the intake under test and a Temporal server with workers on fake ports."""

    intake: Intake
    client: Client
    task_queue: str

    def relay(self) -> Relay:
        return Relay(self.intake.sessions, self.client, self.task_queue, self.intake.database_url)

    @asynccontextmanager
    async def running(self, *, relays: int = 1) -> AsyncIterator[None]:
        """Consumer and relays at work, as in worker processes."""
        jobs = [self.intake.consumer().run(), *(self.relay().run() for _ in range(relays))]
        tasks = [asyncio.create_task(job) for job in jobs]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def signals(self, workflow_id: str) -> list[str]:
        """Event ids of the deliveries the workflow was sent, in order."""
        history = await self.client.get_workflow_handle(workflow_id).fetch_history()
        found = []
        for event in history.events:
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                payloads = event.workflow_execution_signaled_event_attributes.input.payloads
                [delivery] = await self.client.data_converter.decode(payloads)
                found.append(delivery["event_id"])
        return found

    async def got(self, workflow_id: str, *event_ids: str) -> None:
        """Wait until the workflow's history shows exactly these: while a task runs, the server holds signals back."""

        async def shown() -> bool:
            return await self.signals(workflow_id) == list(event_ids)

        await eventually(shown)

    async def status(self, workflow_id: str) -> WorkflowExecutionStatus | None:
        return (await self.client.get_workflow_handle(workflow_id).describe()).status

    async def outcome(self, workflow_id: str) -> Any:
        """How the workflow ended."""
        async with asyncio.timeout(10):
            return await self.client.get_workflow_handle(workflow_id).result()


@pytest.fixture
async def relaying(intake: Intake, temporal: WorkflowEnvironment, world: World) -> AsyncIterator[Relaying]:
    async with journey_worker(temporal.client, world) as task_queue:
        yield Relaying(intake, temporal.client, task_queue)


def empty_outbox(intake: Intake) -> Callable[[], Awaitable[bool]]:
    async def is_empty() -> bool:
        return await intake.count(QueuedEvent) + await intake.count(OutboxEntry) == 0

    return is_empty


async def an_enrollment(intake: Intake, **parts: Any) -> Enrollment:
    """A contact that has just entered."""
    contact = await intake.contact()
    await intake.publish(**parts)
    await intake.tell(contact, "order.placed", {"order_id": "o-1", "email": "ada@example.com"})
    enrollment: Enrollment = (await intake.enrollments())[-1]
    return enrollment


async def test_an_entry_starts_a_journey_and_its_goal_ends_it(relaying: Relaying, intake: Intake) -> None:
    enrollment = await an_enrollment(intake)
    await intake.tell(enrollment.contact_id, "review.created", event_id="e-2")

    assert await relaying.relay().drain() == 2

    outcome = await relaying.outcome(enrollment.workflow_id)
    assert (outcome["state"], outcome["reason"]) == ("goal_met", "goal reached: review.created")
    assert await relaying.signals(enrollment.workflow_id) == ["e-2"]
    assert await intake.count(OutboxEntry) == 0


async def test_nothing_personal_enters_temporal(relaying: Relaying, intake: Intake) -> None:
    enrollment = await an_enrollment(intake, entry={"event": "order.placed", "again": {"per": "email"}})
    await intake.tell(enrollment.contact_id, "review.created", {"by": "ada@example.com"})

    await relaying.relay().drain()
    await relaying.outcome(enrollment.workflow_id)

    history = await relaying.client.get_workflow_handle(enrollment.workflow_id).fetch_history()
    assert "@example.com" not in str(history.events)
    assert "o-1" not in str(history.events)


async def test_entries_carried_twice_count_once(relaying: Relaying, intake: Intake) -> None:
    """As when a relay dies between the call and the note that it was made."""
    enrollment = await an_enrollment(intake, **WAITING)
    await intake.tell(enrollment.contact_id, "tick", event_id="e-2")
    entries = await intake.rows(OutboxEntry)
    await relaying.relay().drain()
    await put_back(intake, entries)

    assert await relaying.relay().drain() == 2

    await relaying.outcome(enrollment.workflow_id)
    assert await relaying.signals(enrollment.workflow_id) == ["e-2"]

    await put_back(intake, entries)
    assert await relaying.relay().drain() == 2  # now that it has ended: neither starts anew
    executions = [found async for found in relaying.client.list_workflows(f"WorkflowId = '{enrollment.workflow_id}'")]
    assert len(executions) == 1


DYING = """
import asyncio, os, signal, sys
from sqlalchemy import event
from intake.relay import Relay
from kit.database import create_engine, create_sessions
from kit.settings import Settings
from kit.temporal import connect

async def main(url, address, namespace, task_queue):
    engine = create_engine(Settings(database_url=url))
    event.listen(engine.sync_engine, "commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
    client = await connect(Settings(), target_host=address, namespace=namespace)
    await Relay(create_sessions(engine), client, task_queue, url).drain()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_relay_killed_after_it_called_repeats_without_effect(relaying: Relaying, intake: Intake) -> None:
    enrollment = await an_enrollment(intake, **WAITING)
    await intake.tell(enrollment.contact_id, "tick", event_id="e-2")
    client = relaying.client
    address, queue = client.service_client.config.target_host, relaying.task_queue
    words = [sys.executable, "-c", DYING, intake.database_url, address, client.namespace, queue]

    dead = await asyncio.to_thread(subprocess.run, words, check=False)

    assert dead.returncode == -signal.SIGKILL
    await eventually(intake.is_released)
    assert await intake.count(OutboxEntry) == 2  # nothing was noted
    await relaying.got(enrollment.workflow_id, "e-2")  # but everything was called
    assert await relaying.relay().drain() == 2
    await relaying.outcome(enrollment.workflow_id)
    assert await relaying.signals(enrollment.workflow_id) == ["e-2"]


async def put_back(intake: Intake, entries: Sequence[OutboxEntry]) -> None:
    rows = [{"enrollment_id": entry.enrollment_id, "kind": entry.kind, "payload": entry.payload} for entry in entries]
    async with intake.sessions.begin() as session:
        await session.execute(insert(OutboxEntry), rows)


async def test_a_start_is_dropped_where_the_journey_runs_already(relaying: Relaying, intake: Intake) -> None:
    enrollment = await an_enrollment(intake)
    async with intake.sessions.begin() as session:
        await session.execute(update(Enrollment).values(state="waiting"))

    assert await relaying.relay().drain() == 1

    found = [run async for run in relaying.client.list_workflows(f"WorkflowId = '{enrollment.workflow_id}'")]
    assert found == []


async def test_what_comes_after_the_end_is_dropped(relaying: Relaying, intake: Intake) -> None:
    enrollment = await an_enrollment(intake, **WAITING)
    await intake.tell(enrollment.contact_id, "tick")
    await relaying.relay().drain()
    await relaying.outcome(enrollment.workflow_id)

    await intake.tell(enrollment.contact_id, "tick")  # the projection lags behind
    assert await relaying.relay().drain() == 1
    await intake.tell(enrollment.contact_id, "tick")
    await intake.end(enrollment.id, NOW)
    assert await relaying.relay().drain() == 1

    assert await intake.count(OutboxEntry) == 0


async def test_several_relays_keep_the_order_of_each_enrollment(relaying: Relaying, intake: Intake) -> None:
    later = {"id": "tick", "wait_for": {"event": "tick", "up_to": "9d", "since": "step"}}
    await intake.publish(goal=None, exit=[], steps=[{"wait": "9d"}, later])
    contacts = [await intake.contact() for _ in range(3)]
    sent: dict[UUID, list[str]] = {contact: [] for contact in contacts}

    async with relaying.running(relays=3):
        for number in range(60):
            contact = contacts[number % 3]
            name = "order.placed" if number < 3 else "tick"
            event_id = await intake.accept(contact, name, event_id=f"e-{number}")
            sent[contact] += [event_id] if name == "tick" else []
        await eventually(empty_outbox(intake))

    for enrollment in await intake.enrollments():
        await relaying.got(enrollment.workflow_id, *sent[enrollment.contact_id])


async def test_a_new_passage_waits_until_the_old_one_has_closed(relaying: Relaying, intake: Intake) -> None:
    old = await an_enrollment(intake, entry={"event": "order.placed", "again": "after_exit"}, **WAITING)
    await relaying.relay().drain()
    await intake.end(old.id, NOW)
    await intake.tell(old.contact_id, "order.placed")
    new = (await intake.enrollments())[1]
    await intake.tell(old.contact_id, "tick", event_id="e-3")

    assert await relaying.relay().drain() == 0
    [start, delivery] = await intake.rows(OutboxEntry)
    assert start.last_error == "Unavailable: An earlier enrollment of this contact is still closing. Try again shortly."
    assert (start.attempts, delivery.attempts) == (1, 0)
    assert await relaying.signals(old.workflow_id) == []

    async with relaying.running():
        await relaying.client.get_workflow_handle(old.workflow_id).terminate()
        await eventually(empty_outbox(intake))

    await relaying.outcome(new.workflow_id)
    assert await relaying.signals(new.workflow_id) == ["e-3"]


async def test_an_entry_that_cannot_be_carried_holds_up_its_enrollment_alone(
    relaying: Relaying, intake: Intake
) -> None:
    broken = await an_enrollment(intake, **WAITING)
    await relaying.relay().drain()
    await intake.tell(broken.contact_id, "tick")
    async with intake.sessions.begin() as session:
        await session.execute(update(OutboxEntry).values(payload={}))
    sound = await an_enrollment(intake, **WAITING)

    assert await relaying.relay().drain() == 1

    assert await relaying.status(sound.workflow_id) is WorkflowExecutionStatus.RUNNING
    [entry] = await intake.rows(OutboxEntry)
    assert entry.enrollment_id == broken.id
    assert entry.attempts > 0
    assert entry.retry_at > entry.created_at
    assert (entry.last_error or "").startswith("ValidationError")


async def test_a_relay_whose_connections_are_cut_goes_on_by_itself(relaying: Relaying, intake: Intake) -> None:
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'dauerlauf%%'"
    contact = await intake.contact()
    await intake.publish(**WAITING)
    async with (
        await psycopg.AsyncConnection.connect(intake.database_url, autocommit=True) as other,
        relaying.running(),
    ):
        await eventually(empty_outbox(intake))
        await other.execute(cut)
        await intake.tell(contact, "order.placed")
        await eventually(empty_outbox(intake))

    [enrollment] = await intake.enrollments()
    assert await relaying.status(enrollment.workflow_id) is WorkflowExecutionStatus.RUNNING


async def test_with_temporal_away_everything_waits_and_then_leaves_by_itself(intake: Intake, tmp_path: Path) -> None:
    server = EmbeddedTemporal(tmp_path, database_file=tmp_path / "temporal.db", ui=True)
    client = await connect(Settings(), lazy=True, target_host=server.address, namespace="default")
    relaying = Relaying(intake, client, "nobody-works-here")
    first, second = await intake.contact(), await intake.contact()
    await intake.publish(**WAITING)

    async with relaying.running():
        await intake.accept(first, "order.placed")
        await eventually(everything_waits(intake, 1))  # it was not there to begin with
        await asyncio.to_thread(server.start)
        try:
            await within_half_a_minute(empty_outbox(intake))

            await asyncio.to_thread(server.stop)
            await intake.accept(second, "order.placed")
            await intake.accept(first, "tick", event_id="e-3")
            await eventually(everything_waits(intake, 2))
            await asyncio.to_thread(server.start)
            await within_half_a_minute(empty_outbox(intake))
            for enrollment, event_ids in zip(await intake.enrollments(), (["e-3"], []), strict=True):
                await relaying.got(enrollment.workflow_id, *event_ids)
        finally:
            await asyncio.to_thread(server.stop)


def everything_waits(intake: Intake, entries: int) -> Callable[[], Awaitable[bool]]:
    async def waits() -> bool:
        return (await intake.count(QueuedEvent), await intake.count(OutboxEntry)) == (0, entries)

    return waits


async def within_half_a_minute(claim: Callable[[], Awaitable[bool]]) -> None:
    """The relay knocks every few seconds, and a server needs some to start."""
    for _ in range(2):
        try:
            await eventually(claim)
        except TimeoutError:
            continue
        return
    await eventually(claim)


async def test_erasing_a_contact_takes_its_entries_along(relaying: Relaying, intake: Intake) -> None:
    enrollment = await an_enrollment(intake)
    async with intake.sessions.begin() as session:
        await session.execute(delete(Enrollment).where(Enrollment.id == enrollment.id))

    assert await relaying.relay().drain() == 0
