"""Bulk enrollment beside a bare loop of `start_workflow`, on the same Temporal server and with as many calls at once.

Ours is a publication with `backfill: matching`: every member of a segment is judged at the door, enrolled and told to
Temporal, page by page, resumable anywhere. Clocks and relay run as they do in a worker, in one process; the time is
from the publication until Temporal has taken the last start. No worker takes the workflows up in either case.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from rich.progress import Progress as Bar
from sqlalchemy import func, select, text
from temporalio.client import Client

from bench.bare import BareJourney, BareRun
from bench.concurrency import all_of
from bench.measurement import Measurement, at_least_times
from bench.stacks import RunningStack, running_stack
from cli.stack.supervisor import Part
from crm.models.enrollment import Enrollment
from intake.clocks import EntryClocks
from intake.models import OutboxEntry
from intake.relay import CALLS_AT_ONCE, Relay

CONTACTS = int(os.environ.get("BENCH_ENROLLED", "2000"))
BUDGET = 0.7
NOBODY = "bench-nobody-works-here"
"""The task queue."""

SEGMENT: dict[str, Any] = {"key": "bench-all", "name": "All", "condition": {"attribute": "plan", "is": "pro"}}
JOURNEY: dict[str, Any] = {
    "key": "bench-bulk",
    "name": "Bulk enrollment",
    "owner": "bench",
    "goal": {"type": "sell", "event": "bench.never"},
    "entry": {"segment": {"entered": SEGMENT["key"], "backfill": "matching"}},
    "steps": [{"wait": "1d"}],
}

_FILL = text("""
    INSERT INTO contacts (email, first_name, attributes)
    SELECT 'contact-' || n || '@example.com', 'Ada', '{"plan": "pro"}' FROM generate_series(1, :contacts) AS given (n)
""")


async def measure(client: Client, _address: str, bar: Bar) -> list[Measurement]:
    """The bare loop, then ours."""
    task = bar.add_task("bulk enrollment", total=2 * CONTACTS)
    bare = await _bare(client)
    bar.update(task, completed=CONTACTS)
    async with running_stack(Part.POSTGRES, Part.SCHEMA, Part.API) as stack:
        ours = await _ours(stack, client)
    bar.remove_task(task)
    name = f"contacts/s enrolled in bulk, {CONTACTS:,} (bare start_workflow)"
    return [at_least_times(name, ours, bare, BUDGET)]


async def _bare(client: Client) -> float:
    """Starts per second."""

    async def start(contact: UUID) -> None:
        run = BareRun(enrollment_id=contact, contact_id=contact, entered_at=datetime.now(UTC))
        await client.start_workflow(BareJourney.run, run, id=f"bulk:{contact}", task_queue=NOBODY)

    began = time.perf_counter()
    await all_of(start, [uuid4() for _ in range(CONTACTS)], at_once=CALLS_AT_ONCE)
    return CONTACTS / (time.perf_counter() - began)


async def _ours(stack: RunningStack, client: Client) -> float:
    """Contacts per second, from the publication until the last is started."""
    async with stack.sessions.begin() as session:
        await session.execute(_FILL, {"contacts": CONTACTS})
    segment = {name: SEGMENT[name] for name in ("name", "condition")}
    (await stack.api.put(f"/v1/segments/{SEGMENT['key']}", json=segment)).raise_for_status()
    (await stack.api.put(f"/v1/journeys/{JOURNEY['key']}", json=JOURNEY)).raise_for_status()
    async with _at_work(stack, client):
        began = time.perf_counter()
        (await stack.api.post(f"/v1/journeys/{JOURNEY['key']}/publish")).raise_for_status()
        async with asyncio.timeout(300):
            while await _started(stack) < CONTACTS:  # noqa: ASYNC110 - the database knows
                await asyncio.sleep(0.1)
        return CONTACTS / (time.perf_counter() - began)


@asynccontextmanager
async def _at_work(stack: RunningStack, client: Client) -> AsyncIterator[None]:
    """What a worker with the roles `clocks` and `relay` runs."""
    url = stack.addresses.database_url
    clocks = EntryClocks(stack.sessions, url, default_zone="Europe/Berlin")
    relay = Relay(stack.sessions, client, NOBODY, url)
    running = [asyncio.create_task(part.run()) for part in (clocks, relay)]
    try:
        yield
    finally:
        for one in running:
            one.cancel()
        await asyncio.wait(running)


async def _started(stack: RunningStack) -> int:
    """Enrollments that wait in no outbox any more."""
    async with stack.sessions() as session:
        enrolled = await session.scalar(select(func.count()).select_from(Enrollment))
        waiting = await session.scalar(select(func.count()).select_from(OutboxEntry))
    return (enrolled or 0) - (waiting or 0)
