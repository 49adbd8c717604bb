"""A real Temporal server for tests, and `JourneyUnderTest`: one enrollment whose time the test moves.

The server stands still in time until a test advances one workflow; each workflow has a clock of its own. Workflow
code runs in the SDK's sandbox. Fixtures: `temporal` (the environment), `world` (fake ports), `enroll` (starts one).
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID, uuid4

import pytest_asyncio
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from cli.time_skipping import time_skipping_environment
from journeys.model import Journey
from journeys.plan import Plan, compile_plan
from kit.temporal import workflow_runner
from tests.support.ports import World
from workflows import starter
from workflows.journey import ContactJourney
from workflows.messages import EXIT_REQUESTED, Command, Delivery, Explanation, JourneyRun, Outcome, compact_plan
from workflows.names import journey_workflow_id

Answer = TypeVar("Answer")

BY_OPS = Command(by="ops-1", reason="looked into it")
_PATIENCE = 10.0
"""Real seconds until something that was to happen counts as not happening."""


@pytest_asyncio.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """A development server whose workflows stand still in time until `fast_forward`."""
    async with time_skipping_environment() as environment:
        yield environment


@asynccontextmanager
async def journey_worker(
    client: Client, world: World, *, cached: int = 1_000, sandboxed: bool = True
) -> AsyncIterator[str]:
    """A worker on a task queue of its own; yields the queue's name."""
    task_queue = f"journeys-{uuid4()}"
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
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def enrollment_id(self) -> UUID:
        return self.run.enrollment_id

    @property
    def client(self) -> Client:
        return self.environment.client

    async def advance(self, duration: timedelta) -> bool:
        """Let time pass. False where the enrollment ended meanwhile."""
        return await self.environment.fast_forward(self.handle, duration)

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

    async def resume(self) -> Explanation:
        return await starter.resume(self.client, self.workflow_id, BY_OPS)

    async def skip(self) -> Explanation:
        return await starter.skip(self.client, self.workflow_id, BY_OPS)

    async def retry(self) -> Explanation:
        return await starter.retry(self.client, self.workflow_id, BY_OPS)

    async def explain(self) -> Explanation:
        return await starter.explain(self.client, self.workflow_id)

    async def until(self, claim: Callable[[Explanation], bool]) -> Explanation:
        """The first explanation of which the claim is true."""

        answer = await self.explain()

        async def claimed() -> bool:
            nonlocal answer
            answer = await self.explain()
            return claim(answer)

        await eventually(claimed)
        return answer

    async def at(self, step: str, state: str = "waiting") -> Explanation:
        """Wait until it stands at a step, and the projection says so too."""
        explanation = await self.until(lambda answer: answer.step == step and answer.state == state)

        async def projected() -> bool:
            progress = self.world.progress.get(self.enrollment_id)
            return progress is not None and (progress.step, progress.state) == (step, state)

        await eventually(projected)
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
    """Starts an enrollment with these steps; keywords are further parts of the journey document."""

    async def __call__(self, *steps: dict[str, Any], **overrides: Any) -> JourneyUnderTest: ...


@asynccontextmanager
async def enrolling(environment: WorkflowEnvironment, world: World, **options: Any) -> AsyncIterator[Enroll]:
    """A worker with these ports, and the function that enrolls into it."""
    async with journey_worker(environment.client, world, **options) as task_queue:

        async def enroll(*steps: dict[str, Any], **overrides: Any) -> JourneyUnderTest:
            return await start(environment, world, task_queue, a_plan(steps, **overrides))

        yield enroll


async def start(
    environment: WorkflowEnvironment, world: World, task_queue: str, plan: Plan, *, number: int = 0
) -> JourneyUnderTest:
    """Start an enrollment in a plan. With a `number` its ids are fixed, for recorded histories."""
    run = JourneyRun(
        enrollment_id=UUID(int=number) if number else uuid4(),
        contact_id=UUID(int=number + 1_000) if number else uuid4(),
        plan=compact_plan(plan),
        entered_at=datetime.now(UTC),
        entry_event_id="entry-1",
        entry_event="order.placed",
    )
    workflow_id = journey_workflow_id(plan.journey, run.contact_id)
    await starter.start_journey(environment.client, run, plan, workflow_id=workflow_id, task_queue=task_queue)
    handle = environment.client.get_workflow_handle_for(ContactJourney.run, workflow_id)
    return JourneyUnderTest(environment, world, plan, run, workflow_id, handle)


@pytest_asyncio.fixture
async def world() -> World:
    """Fake ports, every answer a good one."""
    return World()


@pytest_asyncio.fixture
async def enroll(temporal: WorkflowEnvironment, world: World) -> AsyncIterator[Enroll]:
    """Starts enrollments on a sandboxed worker of this test."""
    async with enrolling(temporal, world) as start_one:
        yield start_one
