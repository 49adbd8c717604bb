"""The worker process: every dependency by name, assembled in one place. What it does is decided by `Settings.roles`.

`python worker.py` runs until SIGTERM or SIGINT, then finishes the activities it has begun.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import structlog
from temporalio.client import Client

from activities.journeys import Admit
from activities.registration import journey_worker
from intake.clocks import EntryClocks
from intake.consumer import IntakeConsumer
from intake.moves import MoveRunner
from intake.relay import Relay
from intake.starting import start_requested
from intake.upkeep import keep_up
from intake.watch import Watch
from journeys.values import MessageChannel
from kit.clock import wall_clock
from kit.database import Sessions, create_engine, create_sessions
from kit.errors import Invalid
from kit.logs import configure_logs
from kit.loops import run_on_fast_loop
from kit.settings import Role, Settings
from kit.temporal import connect
from messaging.channels.base import Channel
from messaging.channels.registry import open_channels

RETRY = 3.0
"""Seconds between attempts to reach Temporal at the start."""


async def connect_in_time(settings: Settings) -> Client:
    """A connected client, as soon as Temporal answers: a worker that starts during an outage waits for its end."""
    while True:
        try:
            return await connect(settings)
        except RuntimeError as error:
            structlog.get_logger().warning("temporal_does_not_answer", reason=str(error)[:200], again_in_seconds=RETRY)
            await asyncio.sleep(RETRY)


async def run_journeys(settings: Settings, sessions: Sessions) -> None:
    """Run workflows and activities until cancelled."""
    client = await connect_in_time(settings)
    async with journey_worker(settings, client, sessions, admit=admission(settings)) as worker:
        await worker.run()


def admission(settings: Settings) -> Admit:
    """How a journey that starts another lets the contact into it, as it is set."""
    return partial(start_requested, control_group=settings.control_group_percent, digest_key=settings.digest_key)


def intake_consumer(settings: Settings, sessions: Sessions) -> IntakeConsumer:
    """Whoever applies events, as it is set."""
    return IntakeConsumer(
        sessions,
        settings.database_url,
        wall_clock,
        control_group=settings.control_group_percent,
        digest_key=settings.digest_key,
    )


async def run_relay(settings: Settings, sessions: Sessions) -> None:
    """Carry the outbox to Temporal until cancelled; its client connects when there is something to carry.

    Moves between versions are ordered here, too: as many as there is room for among what else is to be carried.
    """
    client = await connect(settings, lazy=True)
    async with asyncio.TaskGroup() as group:
        group.create_task(Relay(sessions, client, settings.task_queue, settings.database_url).run())
        group.create_task(MoveRunner(sessions, settings.database_url).run())


def entry_clocks(settings: Settings, sessions: Sessions) -> EntryClocks:
    """Whoever keeps the clocks of entries, as it is set."""
    return EntryClocks(
        sessions,
        settings.database_url,
        default_zone=settings.default_time_zone,
        control_group=settings.control_group_percent,
        digest_key=settings.digest_key,
    )


def alert_channel(settings: Settings) -> Channel | None:
    """What carries mails to operators; None where nobody is to be told, or the carrier is not set up here."""
    if not settings.alert_email:
        return None
    try:
        return open_channels(settings)[MessageChannel.EMAIL]
    except Invalid as error:
        structlog.get_logger().error("no_alerts_from_this_worker", reason=str(error))
        return None


async def run_watch(settings: Settings, sessions: Sessions) -> None:
    """Look for what is stuck until cancelled; its client connects when it first asks."""
    channel = alert_channel(settings)
    try:
        await Watch(sessions, await connect(settings, lazy=True), channel, settings).run()
    finally:
        if channel is not None:
            await channel.close()


async def run(settings: Settings) -> None:
    """Run the roles of this process until SIGTERM or SIGINT."""
    configure_logs(settings)
    engine = create_engine(settings)
    sessions = create_sessions(engine)
    roles: dict[Role, Callable[[], Coroutine[Any, Any, None]]] = {
        Role.JOURNEYS: lambda: run_journeys(settings, sessions),
        Role.INTAKE: lambda: intake_consumer(settings, sessions).run(),
        Role.RELAY: lambda: run_relay(settings, sessions),
        Role.CLOCKS: lambda: entry_clocks(settings, sessions).run(),
    }
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(roles[role](), name=role) for role in sorted(settings.roles)]
            running.append(group.create_task(keep_up(sessions, wall_clock), name="upkeep"))
            running.append(group.create_task(run_watch(settings, sessions), name="watch"))
            structlog.get_logger().info("worker runs", roles=sorted(settings.roles), task_queue=settings.task_queue)
            await stop.wait()
            for task in running:
                task.cancel()
    finally:
        await engine.dispose()


if __name__ == "__main__":
    run_on_fast_loop(run(Settings()))
