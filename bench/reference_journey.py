"""The reference journey through `ContactJourney` and through a hand-written workflow: events, rate, CPU.

Both do the same: wait a second, mail, wait for an event that arrives, judge, mail. The interpreter does it with all
its visibility on, unsandboxed as in production; the other under the SDK's defaults. Repetitions alternate.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from uuid import UUID, uuid4

from rich.progress import Progress as Bar
from temporalio.client import Client

from bench.bare import BareJourney, BareRun
from bench.concurrency import all_of
from bench.interpreted import start_interpreted
from bench.measurement import Measurement, at_least_times, at_most, at_most_times
from bench.workers import BARE, INTERPRETER, RunningWorker, running_worker
from journeys.model import Journey
from journeys.plan import compile_plan
from workflows import starter
from workflows.messages import Delivery, compact_plan

JOURNEYS = int(os.environ.get("BENCH_JOURNEYS", "150"))
REPETITIONS = int(os.environ.get("BENCH_REPETITIONS", "3"))
EVENT_BUDGET, RATE_BUDGET, CPU_BUDGET = 36, 0.75, 1.0

PLAN = compile_plan(
    Journey.model_validate(
        {
            "key": "voucher-and-review",
            "name": "Voucher and review after the first purchase",
            "owner": "crm",
            "goal": {"type": "sell", "event": "review.created", "within": "30d"},
            "entry": {"event": "order.placed", "again": "never"},
            "exit": [{"event": "order.refunded"}],
            "steps": [
                {"wait": "1s"},
                {"id": "voucher", "send": {"template": "voucher"}},
                {"id": "asked", "wait_for": {"event": "page.viewed", "up_to": "2d"}},
                {
                    "id": "reviewed",
                    "if": {"none": {"event": "review.created"}},
                    "then": [{"id": "request", "send": {"template": "review-request"}}],
                },
            ],
        }
    ),
    version=3,
)
COMPACT = compact_plan(PLAN)


@dataclass(frozen=True)
class Result:
    """One repetition of one contestant."""

    per_second: float
    cpu_milliseconds: float
    events: int


@dataclass(frozen=True)
class Contestant:
    """How a journey is started and told of its event."""

    name: str
    start: Callable[[Client, UUID], Awaitable[str]]
    tell: Callable[[Client, str, UUID], Awaitable[object]]


async def _start_interpreted(client: Client, contact: UUID) -> str:
    return await start_interpreted(client, PLAN, COMPACT, contact)


async def _tell_interpreted(client: Client, workflow_id: str, contact: UUID) -> object:
    at = datetime.now(UTC)
    delivery = Delivery(enrollment_id=contact, event_id=f"view-{contact}", at=at, criteria=["step:asked"])
    return await starter.deliver(client, workflow_id, delivery)


async def _start_bare(client: Client, contact: UUID) -> str:
    run = BareRun(enrollment_id=contact, contact_id=contact, entered_at=datetime.now(UTC))
    handle = await client.start_workflow(BareJourney.run, run, id=f"bare:{contact}", task_queue=BARE)
    return handle.id


async def _tell_bare(client: Client, workflow_id: str, contact: UUID) -> None:
    await client.get_workflow_handle(workflow_id).signal(BareJourney.deliver, f"view-{contact}")


CONTESTANTS = (
    Contestant(INTERPRETER, _start_interpreted, _tell_interpreted),
    Contestant(BARE, _start_bare, _tell_bare),
)


async def measure(client: Client, address: str, bar: Bar) -> list[Measurement]:
    """Let both run in turns, and compare their medians."""
    results: dict[str, list[Result]] = {contestant.name: [] for contestant in CONTESTANTS}
    task = bar.add_task("reference journey", total=2 * REPETITIONS)
    async with running_worker(INTERPRETER, address) as ours, running_worker(BARE, address) as theirs:
        workers = {INTERPRETER: ours, BARE: theirs}
        for contestant in CONTESTANTS:
            await _repeat(client, contestant, workers[contestant.name], journeys=10)
        for repetition in range(REPETITIONS):
            for contestant in CONTESTANTS if repetition % 2 == 0 else CONTESTANTS[::-1]:
                results[contestant.name].append(
                    await _repeat(client, contestant, workers[contestant.name], journeys=JOURNEYS)
                )
                bar.advance(task)
    return _compare(results[INTERPRETER], results[BARE])


def _compare(ours: Sequence[Result], theirs: Sequence[Result]) -> list[Measurement]:
    rate, bare_rate = (median(result.per_second for result in results) for results in (ours, theirs))
    cpu, bare_cpu = (median(result.cpu_milliseconds for result in results) for results in (ours, theirs))
    events, bare_events = (max(result.events for result in results) for results in (ours, theirs))
    return [
        at_most("history events, reference journey", events, EVENT_BUDGET, baseline=bare_events),
        at_least_times("journeys per second", rate, bare_rate, RATE_BUDGET),
        at_most_times("worker CPU per journey (ms)", cpu, bare_cpu, CPU_BUDGET),
    ]


async def _repeat(client: Client, contestant: Contestant, worker: RunningWorker, *, journeys: int) -> Result:
    """Run journeys from start to end: all are started, all wait for their event, all are told of it."""
    contacts = [uuid4() for _ in range(journeys)]
    sent, cpu, began = worker.sent.value, worker.cpu_seconds(), time.perf_counter()
    ids = await all_of(lambda contact: contestant.start(client, contact), contacts)
    await _until(lambda: worker.sent.value >= sent + journeys)
    told = dict(zip(contacts, ids, strict=True))
    await all_of(lambda contact: contestant.tell(client, told[contact], contact), contacts)
    await _until(lambda: worker.sent.value >= sent + 2 * journeys)
    await asyncio.gather(*(client.get_workflow_handle(identifier).result() for identifier in ids[-3:]))
    seconds = time.perf_counter() - began
    events = max([len((await client.get_workflow_handle(ids[n]).fetch_history()).events) for n in (0, -1)])
    return Result(journeys / seconds, (worker.cpu_seconds() - cpu) * 1000 / journeys, events)


async def _until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(300):
        while not claim():  # noqa: ASYNC110 - another process counts
            await asyncio.sleep(0.02)
