"""A contestant's worker in a process of its own, so that its CPU time is its own."""

import asyncio
import multiprocessing
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event

import psutil
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from bench.bare import BareJourney, BareTimer
from bench.stubs import Stubs
from kit.loops import run_on_fast_loop
from kit.settings import Settings
from kit.temporal import worker_options, workflow_runner
from workflows.journey import ContactJourney

INTERPRETER = "ContactJourney"
BARE = "bare"
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class RunningWorker:
    """A worker process as its driver sees it."""

    task_queue: str
    sent: "Synchronized[int]"
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """CPU time the process has used, user and system."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@asynccontextmanager
async def running_worker(contestant: str, address: str) -> AsyncIterator[RunningWorker]:
    """Start a contestant's worker, wait until it works, and stop it at the end."""
    ready, sent = _SPAWN.Event(), _SPAWN.Value("i", 0)
    process = _SPAWN.Process(target=_work, args=(contestant, address, ready, sent))
    process.start()
    try:
        assert await asyncio.to_thread(ready.wait, 60), "the worker did not start within a minute"
        assert process.pid is not None
        yield RunningWorker(contestant, sent, psutil.Process(process.pid))
    finally:
        process.terminate()
        await asyncio.to_thread(process.join, 20)
        process.kill()


def _work(contestant: str, address: str, ready: Event, sent: "Synchronized[int]") -> None:
    """The worker process."""
    run = run_on_fast_loop if contestant == INTERPRETER else asyncio.run
    run(_run(contestant, address, ready, sent))


async def _run(contestant: str, address: str, ready: Event, sent: "Synchronized[int]") -> None:
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with _worker(contestant, client, sent):
        ready.set()
        await stop.wait()
    await asyncio.sleep(0.5)  # the SDK's native threads may abort a process that leaves at once


def _worker(contestant: str, client: Client, sent: "Synchronized[int]") -> Worker:
    """The interpreter as in production; the hand-written workflow as the SDK runs one by default."""
    activities = Stubs(sent).all()
    if contestant == BARE:
        return Worker(client, task_queue=contestant, workflows=[BareJourney], activities=activities)
    return Worker(
        client,
        task_queue=contestant,
        workflows=[ContactJourney, BareTimer],
        activities=activities,
        workflow_runner=workflow_runner(sandboxed=False),
        **worker_options(Settings()),
    )
