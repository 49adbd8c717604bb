"""Segments: all contacts by one statement beside counting the rows it reads, and what keeping them adds to an event.

A database of its own, filled by statements, with a condition of every dear kind. The set is measured twice: found, as a
preview does, and found and stored, as a definition does. An event is taken alone, which is the dearest way: in a batch
all contacts share the statement.
"""

import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

from rich.progress import Progress as Bar
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.client import Client

from bench.measurement import Measurement, at_most_times
from cli.stack.embedded import EmbeddedPostgres
from cli.stack.migrate import upgrade
from crm.events import EventRepository, NewEvent
from crm.models.contact import Contact
from crm.models.event import Event
from crm.segments import SegmentRepository
from intake.consumer import IntakeConsumer
from journeys.segments import Backfill, Segment
from kit.clock import wall_clock
from kit.database import Sessions, create_engine, create_sessions
from kit.settings import Settings

CONTACTS = int(os.environ.get("BENCH_CONTACTS", "100000"))
EVENTS = 150
"""Taken one by one, without segments and with them."""
SEGMENTS = 10
"""Kept; two of them are touched by each event."""
ROUNDS = 3
ADDED_BUDGET = 5.0
"""Milliseconds that segments may add to an event."""
FOUND_BUDGET, STORED_BUDGET = 40.0, 150.0
"""Times the bare count. No budget of the design; so that a plan that goes wrong is noticed."""

_FILL = (
    # Made yesterday: who is new is asked about every segment with every event.
    """INSERT INTO contacts (id, attributes, created_at)
       SELECT uuidv7(interval '-1 day'),
              jsonb_build_object('plan', CASE WHEN n % 3 = 0 THEN 'pro' ELSE 'free' END, 'age', n % 80),
              now() - interval '1 day'
       FROM generate_series(1, :contacts) AS given (n)""",
    """INSERT INTO events (event_id, contact_id, name, properties, occurred_at, source)
       SELECT id || '-' || n, id, 'order.placed', jsonb_build_object('amount', n * 40),
              now() - n * interval '20 days', 'api'
       FROM contacts, generate_series(1, 2) AS given (n)""",
    "INSERT INTO lists (key) VALUES ('staff')",
    """INSERT INTO list_members (list_key, contact_id, reason)
       SELECT 'staff', id, 'bench' FROM contacts WHERE attributes ->> 'age' = '7'""",
)
_CONDITION: dict[str, Any] = {
    "all": [
        {"attribute": "plan", "is": "pro"},
        {"event": "order.placed", "where": {"amount": {"at_least": 30}}, "within": "90d"},
        {"none": {"event": "order.refunded", "within": "30d"}},
        {"not": {"in_list": "staff"}},
    ]
}


async def measure(_client: Client, _address: str, bar: Bar) -> list[Measurement]:
    """Everything, on a database of this measurement."""
    task = bar.add_task("segments", total=3)
    with (
        tempfile.TemporaryDirectory(prefix="bench-segments-") as directory,
        EmbeddedPostgres(Path(directory)) as server,
    ):
        upgrade(server.url)
        engine = create_engine(Settings(database_url=server.url))
        sessions = create_sessions(engine)
        try:
            await _fill(sessions)
            bar.advance(task)
            found = await _sets(sessions)
            bar.advance(task)
            return [*found, await _events(sessions, server.url)]
        finally:
            bar.remove_task(task)
            await engine.dispose()


async def _fill(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        for statement in _FILL:
            await session.execute(text(statement), {"contacts": CONTACTS} if ":contacts" in statement else {})
    async with sessions.begin() as session:
        await session.execute(text("ANALYZE"))


async def _sets(sessions: Sessions) -> list[Measurement]:
    now, condition = wall_clock(), _segment("measured").condition

    async def count(session: AsyncSession) -> None:
        for table in (Contact, Event):
            await session.scalar(select(func.count()).select_from(table))

    async def find(session: AsyncSession) -> None:
        await SegmentRepository(session).preview(condition, now)

    async def store(session: AsyncSession) -> None:
        await SegmentRepository(session).define(_segment("measured"), backfill=Backfill.NONE, now=now)
        await session.rollback()

    bare, found, stored = [await _milliseconds(sessions, work) for work in (count, find, store)]
    return [
        at_most_times(f"segment of {CONTACTS:,} found, ms (bare count)", found, bare, FOUND_BUDGET),
        at_most_times(f"segment of {CONTACTS:,} found and stored, ms (bare count)", stored, bare, STORED_BUDGET),
    ]


async def _milliseconds(sessions: Sessions, work: Callable[[AsyncSession], Awaitable[None]]) -> float:
    """The median of some rounds, after one that warms up."""
    took = []
    for _ in range(ROUNDS + 1):
        async with sessions() as session:
            began = time.perf_counter()
            await work(session)
            took.append((time.perf_counter() - began) * 1_000)
    return median(took[1:])


async def _events(sessions: Sessions, url: str) -> Measurement:
    async with sessions() as session:
        contacts = (await session.scalars(select(Contact.id).limit(EVENTS))).all()
    without = await _per_event(sessions, url, contacts, "without")
    async with sessions.begin() as session:
        for number in range(SEGMENTS):
            segment = _segment(f"kept-{number}", "order.placed" if number < 2 else f"other-{number}")
            await SegmentRepository(session).define(segment, backfill=Backfill.NONE, now=wall_clock())
    kept = await _per_event(sessions, url, contacts, "kept")
    name = f"event through intake with {SEGMENTS} segments, ms (with none)"
    budget = f"≤ {ADDED_BUDGET:g} added"
    return Measurement(name, kept, without, kept / without, budget, kept - without <= ADDED_BUDGET)


async def _per_event(sessions: Sessions, url: str, contacts: Sequence[UUID], run: str) -> float:
    """The median time of one event, accepted before, alone in its batch."""
    consumer, took = IntakeConsumer(sessions, url), []
    for number, contact_id in enumerate(contacts):
        occurred_at = wall_clock() - timedelta(seconds=1)
        event = NewEvent(f"{run}-{number}", contact_id, "order.placed", occurred_at, {"amount": 99})
        async with sessions.begin() as session:
            await EventRepository(session).accept([event])
        began = time.perf_counter()
        await consumer.drain()
        took.append((time.perf_counter() - began) * 1_000)
    return median(took)


def _segment(key: str, event: str = "order.placed") -> Segment:
    asked, happened, *rest = _CONDITION["all"]
    condition = {"all": [asked, {**happened, "event": event}, *rest]}
    return Segment.model_validate({"key": key, "name": key, "condition": condition})
