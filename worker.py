"""The worker process: every dependency by name, assembled in one place. What it does is decided by `Settings.roles`.

`python worker.py` runs until SIGTERM or SIGINT, then finishes the activities it has begun.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from activities.contacts import ContactActivities
from activities.enrollments import EnrollmentActivities
from activities.messages import MessagingActivities
from intake.consumer import IntakeConsumer
from intake.relay import Relay
from intake.upkeep import keep_partitions
from kit.clock import wall_clock
from kit.database import Sessions, create_engine, create_sessions
from kit.logs import configure_logs
from kit.settings import Role, Settings
from kit.temporal import connect, worker_options, workflow_runner
from messaging.channels.registry import open_channels
from workflows.journey import ContactJourney

SHUTDOWN_GRACE = timedelta(seconds=20)
"""A send that has begun may end: longer than the providers' connect and read time-outs together."""


@asynccontextmanager
async def journey_worker(settings: Settings, client: Client, sessions: Sessions) -> AsyncIterator[Worker]:
    """The Temporal worker with its activities; channels are closed when it is done."""
    contacts = ContactActivities(sessions)
    enrollments = EnrollmentActivities(sessions)
    messages = MessagingActivities(sessions, open_channels(settings), settings, wall_clock)
    try:
        yield Worker(
            client,
            task_queue=settings.task_queue,
            workflows=[ContactJourney],
            activities=[
                contacts.judge_condition,
                contacts.set_attributes,
                contacts.change_list,
                contacts.recompute_score,
                enrollments.record_progress,
                messages.send_message,
            ],
            workflow_runner=workflow_runner(sandboxed=settings.sandboxed),
            graceful_shutdown_timeout=SHUTDOWN_GRACE,
            **worker_options(settings),
        )
    finally:
        await messages.close()


async def run_journeys(settings: Settings, client: Client, sessions: Sessions) -> None:
    """Run workflows and activities until cancelled."""
    async with journey_worker(settings, client, sessions) as worker:
        await worker.run()


async def run(settings: Settings) -> None:
    """Run the roles of this process until SIGTERM or SIGINT."""
    configure_logs(settings)
    engine = create_engine(settings)
    sessions = create_sessions(engine)
    client = await connect(settings)
    roles: dict[Role, Callable[[], Coroutine[Any, Any, None]]] = {
        Role.JOURNEYS: lambda: run_journeys(settings, client, sessions),
        Role.INTAKE: lambda: IntakeConsumer(sessions, settings.database_url, wall_clock).run(),
        Role.RELAY: lambda: Relay(sessions, client, settings.task_queue, settings.database_url).run(),
    }
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(roles[role](), name=role) for role in sorted(settings.roles)]
            running.append(group.create_task(keep_partitions(sessions, wall_clock), name="partitions"))
            structlog.get_logger().info("worker runs", roles=sorted(settings.roles), task_queue=settings.task_queue)
            await stop.wait()
            for task in running:
                task.cancel()
    finally:
        await engine.dispose()


if __name__ == "__main__":
    asyncio.run(run(Settings()))
