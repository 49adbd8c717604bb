"""HTTP event → signal handled by a waiting journey, on the whole stack while it is idle.

The clock starts before the POST and stops at the time Temporal gives to the completion of the workflow task that
handled the signal. Included: HTTP, key, commit, intake, matching, outbox, relay, signal, dispatch to the worker, the
journey's own code, and the note of where it stands in PostgreSQL. Nothing is polled: each journey ends by its event,
and its end is awaited. Beside it a bare signal to the hand-written workflow, from the call to the same moment.
"""

import asyncio
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from rich.progress import Progress as Bar
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from bench.bare import BareJourney, BareRun
from bench.measurement import Measurement, at_most, percentile
from bench.stacks import RunningStack, running_stack
from bench.workers import BARE, running_worker

EVENTS = int(os.environ.get("BENCH_EVENTS", "200"))
P50_BUDGET, P99_BUDGET = 60.0, 200.0
"""Milliseconds."""
WARM_UP = 20
"""Events sent before those that count: connections, statements and caches are made once in a process's life."""

JOURNEY: dict[str, Any] = {
    "key": "latency",
    "name": "Wait for one event",
    "owner": "bench",
    "goal": {"type": "serve", "event": "bench.never"},
    "entry": {"event": "bench.entered"},
    "steps": [{"id": "arrival", "wait_for": {"event": "bench.arrived", "up_to": "1d"}}],
}

PAUSE = 0.15
"""Seconds before each event: after telling of a workflow's end, Temporal's server is busy with it for up to 40 ms."""

Milliseconds = list[float]


async def measure(client: Client, address: str, bar: Bar) -> list[Measurement]:
    """One event after the other, each to a journey of its own that waits for it."""
    task = bar.add_task("event → signal handled", total=2 * EVENTS)

    def advance() -> None:
        bar.advance(task)

    async with running_worker(BARE, address) as worker:
        bare = await _bare(client, lambda: worker.sent.value, advance)
    async with running_stack() as stack:
        temporal = await Client.connect(stack.addresses.temporal, data_converter=pydantic_data_converter)
        ours = await _events(stack, temporal, advance)
    return _compare(ours, bare)


def _compare(ours: Milliseconds, bare: Milliseconds) -> list[Measurement]:
    name = "event over HTTP → signal handled, idle, {} (ms)"
    return [
        at_most(name.format("p50"), percentile(ours, 50), P50_BUDGET, baseline=percentile(bare, 50)),
        at_most(name.format("p99"), percentile(ours, 99), P99_BUDGET, baseline=percentile(bare, 99)),
    ]


async def _events(stack: RunningStack, temporal: Client, advance: Callable[[], None]) -> Milliseconds:
    (await stack.api.put("/v1/journeys/latency", json=JOURNEY)).raise_for_status()
    (await stack.api.post("/v1/journeys/latency/publish")).raise_for_status()
    contacts = {user: await _enter(stack, user) for user in (f"contact-{number}" for number in range(WARM_UP + EVENTS))}
    await _until_all_wait(stack, len(contacts))
    took = []
    for user, contact_id in contacts.items():
        call = {"userId": user, "event": "bench.arrived"}
        await asyncio.sleep(PAUSE)
        began = time.time()
        (await stack.api.post("/v1/track", json=call)).raise_for_status()
        took.append(await _handled(temporal, f"latency:{contact_id}") - began)
        advance()
    return _counting(took)


async def _enter(stack: RunningStack, user: str) -> str:
    answer = await stack.api.post("/v1/events", json={"event": "bench.entered", "contact": {"user_id": user}})
    return str(answer.raise_for_status().json()["contact_id"])


async def _until_all_wait(stack: RunningStack, count: int) -> None:
    async with asyncio.timeout(300):
        while (await _counts(stack)).get("waiting") != count:  # noqa: ASYNC110 - before anything is measured
            await asyncio.sleep(0.5)


async def _counts(stack: RunningStack) -> dict[str, int]:
    answer = (await stack.api.get("/v1/journeys/latency")).raise_for_status().json()
    counts: dict[str, int] = answer["counts"]["arrival"]
    return counts


async def _bare(client: Client, sent: Callable[[], int], advance: Callable[[], None]) -> Milliseconds:
    runs = [
        BareRun(enrollment_id=contact, contact_id=contact, entered_at=datetime.now(UTC))
        for contact in (uuid4() for _ in range(WARM_UP + EVENTS))
    ]
    for run in runs:
        await client.start_workflow(BareJourney.run, run, id=f"latency:{run.contact_id}", task_queue=BARE)
    async with asyncio.timeout(300):
        while sent() < len(runs):  # noqa: ASYNC110 - before anything is measured
            await asyncio.sleep(0.5)
    took = []
    for run in runs:
        workflow_id = f"latency:{run.contact_id}"
        await asyncio.sleep(PAUSE)
        began = time.time()
        await client.get_workflow_handle(workflow_id).signal(BareJourney.deliver, f"view-{run.contact_id}")
        took.append(await _handled(client, workflow_id) - began)
        advance()
    return _counting(took)


async def _handled(client: Client, workflow_id: str) -> float:
    """Waits for the workflow's end; returns when the task that handled its signal was completed, in epoch seconds."""
    handle = client.get_workflow_handle(workflow_id)
    await handle.result()
    signalled = False
    for event in (await handle.fetch_history()).events:
        signalled = signalled or event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
        if signalled and event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return event.event_time.ToNanoseconds() / 1e9
    raise AssertionError(workflow_id)


def _counting(seconds: list[float]) -> Milliseconds:
    return [value * 1_000 for value in seconds[WARM_UP:]]
