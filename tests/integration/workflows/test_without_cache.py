"""A worker that forgets all after each task: every task replays the history, so what is not deterministic shows."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from journeys.outcomes import JourneyState
from tests.integration.workflows.test_reference_journey import REFERENCE
from tests.support.ports import World, fails_for_good
from tests.support.temporal import Enroll, enrolling

DAY = timedelta(days=1)


@pytest_asyncio.fixture
async def enroll(temporal: WorkflowEnvironment, world: World) -> AsyncIterator[Enroll]:
    async with enrolling(temporal, world, cached=0) as start_one:
        yield start_one


async def test_a_journey_with_everything_in_it_replays_at_every_task(enroll: Enroll, world: World) -> None:
    journey = await enroll(*REFERENCE, {"id": "rest", "wait": "30d"}, goal={"type": "sell", "event": "review.created"})
    await journey.at("wait-1")
    await journey.pause()
    await journey.at("wait-1", "paused")
    await journey.resume()
    await journey.at("wait-1")
    world.sending.then(fails_for_good())
    await journey.advance(DAY)
    await journey.at("voucher", "needs_attention")
    await journey.retry()
    await journey.at("asked")
    await journey.skip()
    await journey.at("rest")
    await journey.deliver("goal")
    assert (await journey.outcome()).state is JourneyState.GOAL_MET
    assert journey.decided() == [
        ("wait-1", "passed", ""),
        ("voucher", "passed", "sent"),
        ("asked", "skipped", ""),
        ("reviewed", "passed", "yes"),
        ("request", "passed", "sent"),
        ("rest", "exited", ""),
    ]
