"""Events over `/v1/batch` beside a bare `COPY` of the same rows, and what intake makes of them with nobody listening.

The API runs under uvicorn in a process of its own, as in production, the catalogue is published, and the events are
none that it listens for. Accepted means: committed with receipt and place in the queue, which are two tables more. The
copy writes the same rows into the same table on one connection, committed as often as the calls are, and looks for
neither contacts nor repetitions. Rounds of both alternate; the queue is emptied between them by the consumer of
production, which is the third thing measured.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from psycopg import AsyncConnection
from rich.progress import Progress as Bar
from sqlalchemy import func, select, text
from temporalio.client import Client

from bench.concurrency import all_of
from bench.measurement import Measurement, at_least_times, at_most
from bench.stacks import RunningStack, running_stack
from cli.stack.supervisor import Part
from crm.models.event import QueuedEvent
from intake.claims import EVENTS_AT_ONCE
from intake.consumer import IntakeConsumer

EVENTS = int(os.environ.get("BENCH_ACCEPTED", "10000"))
"""In each round, of a fifth as many contacts."""
ROUNDS = 3
CALLS_AT_ONCE = 4
IN_ONE_CALL = 500
ACCEPT_BUDGET, INTAKE_BUDGET = 0.25, 0.2
FED_SECONDS = 5
"""How long events come in at half the rate of intake."""

_READ = text("""
    SELECT event_id, contact_id, name, properties::text, occurred_at, source FROM events
    WHERE event_id LIKE :like ORDER BY sequence
""")
_COPY = "COPY events (event_id, contact_id, name, properties, occurred_at, source) FROM STDIN"


async def measure(_client: Client, _address: str, bar: Bar) -> list[Measurement]:
    """Accept, copy and take in, in turns; then all at once at half the rate."""
    task = bar.add_task("acceptance and intake", total=ROUNDS + 1)
    accepted, copied, taken = [], [], []
    async with running_stack(Part.POSTGRES, Part.SCHEMA, Part.API) as stack:
        consumer = IntakeConsumer(stack.sessions, stack.addresses.database_url)
        await _accept(stack, _calls("warm-up", EVENTS))
        await consumer.drain()
        for number in range(ROUNDS):
            accepted.append(EVENTS / await _accept(stack, _calls(f"round-{number}", EVENTS)))
            copied.append(EVENTS / await _copy(stack, f"round-{number}"))
            began = time.perf_counter()
            assert await consumer.drain() == EVENTS, "every event is taken in once"
            taken.append(EVENTS / (time.perf_counter() - began))
            bar.advance(task)
        longest = await _feed(stack, consumer, per_second=median(taken) / 2)
    bar.remove_task(task)
    return _compare(median(accepted), median(copied), median(taken), longest)


def _compare(accepted: float, copied: float, taken: float, longest: int) -> list[Measurement]:
    fed = f"events waiting at most, {FED_SECONDS} s at half of that (one turn of intake)"
    return [
        at_least_times("events/s accepted over /v1/batch (bare COPY)", accepted, copied, ACCEPT_BUDGET),
        at_least_times("events/s through intake, nobody listening (accepted)", taken, accepted, INTAKE_BUDGET),
        at_most(fed, longest, EVENTS_AT_ONCE, baseline=EVENTS_AT_ONCE),
    ]


def _calls(run: str, count: int) -> Sequence[bytes]:
    """Bodies of `/v1/batch`, made before the clock starts."""
    now = datetime.now(UTC)
    events = [_track(f"{run}-{number}", number % max(EVENTS // 5, 1), now) for number in range(count)]
    return [json.dumps({"batch": events[at : at + IN_ONE_CALL]}).encode() for at in range(0, count, IN_ONE_CALL)]


def _track(event_id: str, contact: int, now: datetime) -> dict[str, Any]:
    return {
        "type": "track",
        "userId": f"contact-{contact}",
        "event": "bench.viewed",
        "messageId": event_id,
        "timestamp": (now - timedelta(seconds=contact % 60)).isoformat(),
        "properties": {"url": f"https://shop.example/products/{contact}", "product_id": f"P-{contact}", "price": 39.9},
    }


async def _accept(stack: RunningStack, calls: Sequence[bytes]) -> float:
    """Seconds until all calls are answered, some at once."""

    async def post(body: bytes) -> None:
        answer = await stack.api.post("/v1/batch", content=body, headers={"Content-Type": "application/json"})
        answer.raise_for_status()

    began = time.perf_counter()
    await all_of(post, calls, at_once=CALLS_AT_ONCE)
    return time.perf_counter() - began


async def _copy(stack: RunningStack, run: str) -> float:
    """Seconds for copying the rows of this round once more. They are in no queue, so nothing comes of them."""
    async with stack.sessions() as session:
        rows = [tuple(row) for row in await session.execute(_READ, {"like": f"{run}-%"})]
    assert len(rows) == EVENTS, "every event is accepted once"
    async with await AsyncConnection.connect(stack.addresses.database_url) as connection:
        began = time.perf_counter()
        for at in range(0, len(rows), IN_ONE_CALL):
            async with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                for event_id, *rest in rows[at : at + IN_ONE_CALL]:
                    await copy.write_row((f"copied-{event_id}", *rest))
            await connection.commit()
        return time.perf_counter() - began


async def _feed(stack: RunningStack, consumer: IntakeConsumer, *, per_second: float) -> int:
    """The most events that waited while they came in at this rate and the consumer ran beside."""
    running = asyncio.create_task(consumer.run())
    longest = 0
    try:
        async for body in _paced(per_second):
            await _accept(stack, [body])
            async with stack.sessions() as session:
                longest = max(longest, await session.scalar(select(func.count()).select_from(QueuedEvent)) or 0)
    finally:
        running.cancel()
        await asyncio.wait([running])
    return longest


async def _paced(per_second: float) -> AsyncIterator[bytes]:
    """Ten calls a second; one that is late is followed by the next at once."""
    calls = FED_SECONDS * 10
    began = time.perf_counter()
    for number in range(calls):
        await asyncio.sleep(max(began + number / 10 - time.perf_counter(), 0))
        yield _calls(f"fed-{number}", max(int(per_second / 10), 1))[0]
