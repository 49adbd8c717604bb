"""What a waiting contact costs: history in Temporal, rows and bytes in PostgreSQL, on the whole stack.

Contacts enter by an event each and wait for another one, as in a real journey. Beside each other stand what one of them
costs and the budget; what a million cost is extrapolated from these: each is alike, so it is a product.
"""

import asyncio
import json
import os
from collections import Counter

from rich.progress import Progress as Bar
from sqlalchemy import text
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from bench.concurrency import all_of
from bench.latency import JOURNEY
from bench.measurement import Measurement, at_most
from bench.stacks import RunningStack, running_stack

CONTACTS = int(os.environ.get("BENCH_WAITING", "1000"))
IN_ONE_CALL = 500
HISTORY_BUDGET, ROWS_BUDGET = 4.0, 1
"""Kilobytes; rows that there are only because the contact waits."""

_IDS = text("SELECT workflow_id FROM enrollments WHERE journey_key = :journey AND state = 'waiting'")
_TABLES = text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
_ANYWAY = frozenset({"contacts", "identities", "events", "event_receipts", "entry_clocks", "stuck_watch"})
"""Rows that there are of a contact, of its event and of the stack itself, waiting or not.

The clocks are those of the catalogue's entries by silence. Partitions of `events` begin with its name.
"""


async def measure(_client: Client, _address: str, bar: Bar) -> list[Measurement]:
    """Let them all come to their wait, and count."""
    task = bar.add_task("waiting contacts", total=2)
    async with running_stack() as stack:
        (await stack.api.put(f"/v1/journeys/{JOURNEY['key']}", json=JOURNEY)).raise_for_status()
        (await stack.api.post(f"/v1/journeys/{JOURNEY['key']}/publish")).raise_for_status()
        before = await _rows(stack)
        for first in range(0, CONTACTS, IN_ONE_CALL):
            await _enter(stack, first)
        ids = await _all_waiting(stack)
        bar.advance(task)
        temporal = await Client.connect(stack.addresses.temporal, data_converter=pydantic_data_converter)
        sizes = await all_of(lambda workflow_id: _history_bytes(temporal, workflow_id), ids)
        rows = await _rows(stack)
    bar.remove_task(task)
    rows.subtract(before)
    return _compare(max(sizes) / 1024, rows)


def _compare(kilobytes: float, rows: "Counter[str]") -> list[Measurement]:
    kept = {table: count for table, count in rows.items() if count > 0 and not _is_there_anyway(table)}
    million = kilobytes * 1_000_000 / 1024**2
    return [
        at_most(
            f"KB of history of a waiting contact ({million:.1f} GB a million)", kilobytes, HISTORY_BUDGET, baseline=4
        ),
        at_most(
            f"rows of a waiting contact ({', '.join(sorted(kept))})",
            sum(kept.values()) / CONTACTS,
            ROWS_BUDGET,
            baseline=1,
        ),
    ]


def _is_there_anyway(table: str) -> bool:
    return table in _ANYWAY or table.startswith("events_")


async def _enter(stack: RunningStack, first: int) -> None:
    users = [f"contact-{number}" for number in range(first, min(first + IN_ONE_CALL, CONTACTS))]
    calls = [{"type": "track", "userId": user, "event": "bench.entered"} for user in users]
    answer = await stack.api.post(
        "/v1/batch", content=json.dumps({"batch": calls}), headers={"Content-Type": "application/json"}
    )
    answer.raise_for_status()


async def _all_waiting(stack: RunningStack) -> list[str]:
    """The ids of their workflows, once all wait."""
    async with asyncio.timeout(300):
        while True:
            async with stack.sessions() as session:
                ids = list(await session.scalars(_IDS, {"journey": JOURNEY["key"]}))
            if len(ids) == CONTACTS:
                return ids
            await asyncio.sleep(0.5)


async def _history_bytes(temporal: Client, workflow_id: str) -> int:
    """As Temporal counts them."""
    description = await temporal.get_workflow_handle(workflow_id).describe()
    return description.raw_description.workflow_execution_info.history_size_bytes


async def _rows(stack: RunningStack) -> "Counter[str]":
    """How many there are in each table."""
    async with stack.sessions() as session:
        tables = (await session.scalars(_TABLES)).all()
        return Counter({table: await session.scalar(text(f'SELECT count(*) FROM "{table}"')) or 0 for table in tables})
