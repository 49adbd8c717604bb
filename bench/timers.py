"""Many timers due at one instant: how late the last of them are, beside the hand-written workflow's on the same server.

Journeys and hand-written workflows wait for an instant in turn, on workers that are set up alike, so that the bare one
shows the rate of the server itself. Late is the time from that instant until Temporal has the completion of the
workflow task that went on, which its history says. A timer whose workflow has not ended is lost.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from rich.progress import Progress as Bar
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from bench.bare import BareTimer
from bench.concurrency import all_of
from bench.interpreted import start_interpreted
from bench.measurement import Measurement, at_least_times, at_most_times, percentile
from bench.workers import BARE, INTERPRETER, running_worker
from journeys.model import Journey
from journeys.plan import compile_plan
from workflows.messages import compact_plan

TIMERS = int(os.environ.get("BENCH_TIMERS", "500"))
STARTED_PER_SECOND = 25
"""What the slower of the two is trusted to start and to bring to its timer, before the instant comes."""
LATENESS_BUDGET = 2.0
"""Times the bare one's, which does nothing after its timer; the design bounds it by the server's rate alone."""
TOO_MANY = "Not all could be brought to their timer before the instant came: lower BENCH_TIMERS."

Start = Callable[[UUID], Awaitable[str]]
"""Starts a contact's workflow; its id."""


async def measure(client: Client, address: str, bar: Bar) -> list[Measurement]:
    """Bare, then ours."""
    task = bar.add_task("timers at one instant", total=2)
    late = {}
    for contestant, starting in ((BARE, _bare), (INTERPRETER, _interpreted)):
        async with running_worker(INTERPRETER, address):
            late[contestant] = await _lateness(client, starting)
        bar.advance(task)
    bar.remove_task(task)
    return _compare(late[INTERPRETER], late[BARE])


def _compare(ours: Sequence[float], bare: Sequence[float]) -> list[Measurement]:
    name = f"{TIMERS:,} timers at one instant"
    return [
        at_least_times(f"{name}, gone off", len(ours), TIMERS, 1),
        at_most_times(f"{name}, lateness p99, s (bare)", percentile(ours, 99), percentile(bare, 99), LATENESS_BUDGET),
    ]


async def _lateness(client: Client, starting: Callable[[Client, datetime], Start]) -> Sequence[float]:
    """Seconds of each timer that went off, of workflows that are started well before."""
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2 + TIMERS // STARTED_PER_SECOND)
    ids = await all_of(starting(client, due), [uuid4() for _ in range(TIMERS)])
    assert datetime.now(UTC) < due, TOO_MANY
    await asyncio.sleep((due - datetime.now(UTC)).total_seconds())
    went_on = await all_of(lambda workflow_id: _went_on(client, workflow_id, due), ids)
    return [at - due.timestamp() for at in went_on if at is not None]


async def _went_on(client: Client, workflow_id: str, due: datetime) -> float | None:
    """When the task after the timer was completed, in epoch seconds; None where the workflow does not end in time."""
    handle = client.get_workflow_handle(workflow_id)
    try:
        async with asyncio.timeout(120):
            await handle.result()
    except TimeoutError:
        return None
    fired = False
    for event in (await handle.fetch_history()).events:
        fired = fired or event.event_type == EventType.EVENT_TYPE_TIMER_FIRED
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED:
            assert event.event_time.ToNanoseconds() / 1e9 < due.timestamp(), TOO_MANY
        if fired and event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return event.event_time.ToNanoseconds() / 1e9
    raise AssertionError(TOO_MANY)


def _bare(client: Client, due: datetime) -> Start:
    async def start(contact: UUID) -> str:
        handle = await client.start_workflow(BareTimer.run, due, id=f"bare-timer:{contact}", task_queue=INTERPRETER)
        return handle.id

    return start


def _interpreted(client: Client, due: datetime) -> Start:
    definition = {
        "key": "timers",
        "name": "Timers at one instant",
        "owner": "bench",
        "goal": {"type": "sell", "event": "bench.never", "within": "30d"},
        "entry": {"event": "bench.entered"},
        "steps": [{"wait": {"until": due.isoformat()}}],
    }
    plan = compile_plan(Journey.model_validate(definition), version=1)
    compact = compact_plan(plan)

    async def start(contact: UUID) -> str:
        return await start_interpreted(client, plan, compact, contact)

    return start
