"""Continue-as-new: the server suggests it when a history grows long; the enrollment goes on as if nothing were."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.testing import WorkflowEnvironment

from journeys.outcomes import JourneyState
from tests.support.ports import World, fails_for_good
from tests.support.temporal import Enroll, JourneyUnderTest, enrolling, eventually, server_options
from workflows.names import DUE_AT, ENROLLMENT_MEMO, JOURNEY_STATE
from workflows.ports import SendMessage

GOAL = {"type": "sell", "event": "review.created"}
VOUCHER = {"id": "voucher", "send": {"template": "voucher"}}
SUGGESTED_AFTER = 15
"""Events; in production thousands."""


@pytest_asyncio.fixture(scope="session")
async def impatient() -> AsyncIterator[WorkflowEnvironment]:
    """A server that suggests to continue as new after a few events."""
    options = server_options(**{"limit.historyCount.suggestContinueAsNew": str(SUGGESTED_AFTER)})
    environment = await WorkflowEnvironment.start_local(**options)
    async with environment:
        yield environment


@pytest_asyncio.fixture
async def enroll(impatient: WorkflowEnvironment, world: World) -> AsyncIterator[Enroll]:
    async with enrolling(impatient, world) as start_one:
        yield start_one


async def continued(journey: JourneyUnderTest) -> bool:
    """Whether the run the enrollment started with has been continued as new."""
    events = [event async for event in journey.first_run.fetch_history_events()]
    return events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW


async def send_until_continued(journey: JourneyUnderTest) -> int:
    """Deliver events that meet a criterion until the run is continued; how many it took."""
    sent = 0
    while not await continued(journey):
        sent += 1
        await journey.deliver("step:asked", event_id=f"view-{sent}")
        await journey.until(lambda _: True)
    return sent


WAITING = (
    {"wait": "1d"},
    {"id": "asked", "wait_for": {"event": "page.viewed", "up_to": "2d", "since": "step"}},
    VOUCHER,
)


async def test_a_running_wait_goes_on_and_ends_when_it_always_would_have(enroll: Enroll) -> None:
    journey = await enroll(*WAITING)
    before = await journey.at("wait-1")
    await send_until_continued(journey)
    after = await journey.at("wait-1")
    assert (after.since, after.until) == (before.since, before.until)
    description = await journey.handle.describe()
    assert description.typed_search_attributes.get(JOURNEY_STATE) == "waiting"
    assert description.typed_search_attributes.get(DUE_AT) is not None
    assert await description.memo_value(ENROLLMENT_MEMO) == str(journey.enrollment_id)
    assert (await journey.details()).startswith("Voucher and review after the first purchase · v3")


async def test_no_signal_is_lost(enroll: Enroll) -> None:
    journey = await enroll(*WAITING, goal=GOAL)
    await journey.at("wait-1")
    last = await send_until_continued(journey)
    assert (await journey.explain()).met["step:asked"].event_id == f"view-{last}"
    for number in range(last + 1, last + 30):
        await journey.deliver("step:asked", event_id=f"view-{number}")
    explained = await journey.until(lambda answer: answer.met["step:asked"].event_id == f"view-{last + 29}")
    assert explained.step == "wait-1"
    await journey.deliver("goal")
    assert (await journey.outcome()).state is JourneyState.GOAL_MET


async def test_a_repeat_that_a_new_run_accepts_again_changes_nothing(enroll: Enroll, world: World) -> None:
    """The server drops repeats within a run only."""
    journey = await enroll(*WAITING, goal=GOAL)
    await journey.at("wait-1")
    at = await journey.now()
    await send_until_continued(journey)
    met = (await journey.explain()).met
    await journey.deliver("step:asked", event_id="view-1", at=at + timedelta(hours=1))
    assert (await journey.explain()).met == met
    await journey.deliver("goal")
    await journey.outcome()
    assert world.progress[journey.enrollment_id].state is JourneyState.GOAL_MET


async def test_a_pause_outlives_it(enroll: Enroll, world: World) -> None:
    journey = await enroll(*WAITING)
    await journey.at("wait-1")
    await journey.pause()
    await send_until_continued(journey)
    paused = await journey.at("wait-1", "paused")
    assert paused.until is not None
    assert "by ops-1: looked into it" in await journey.details()
    await journey.resume()
    assert (await journey.at("wait-1")).until == paused.until
    assert not world.asked(SendMessage)


async def test_a_parked_step_outlives_it(enroll: Enroll, world: World) -> None:
    world.sending.then(fails_for_good())
    journey = await enroll(VOUCHER, *WAITING[1:2])
    parked = await journey.at("voucher", "needs_attention")
    await send_until_continued(journey)
    assert (await journey.at("voucher", "needs_attention")).attention == parked.attention
    await journey.retry()
    await journey.at("asked")
    assert [request.iteration for request in world.asked(SendMessage)] == [1, 1]


async def test_it_happens_between_steps_too_and_each_step_is_done_once(enroll: Enroll, world: World) -> None:
    steps = [{"id": f"send-no-{number}", "send": {"template": "voucher"}} for number in range(12)]
    journey = await enroll(*steps)
    await journey.outcome()
    assert [request.step for request in world.asked(SendMessage)] == [step["id"] for step in steps]
    assert [decision.ordinal for decision in world.decided(journey.enrollment_id)] == list(range(12))

    async def was_continued() -> bool:
        return await continued(journey)

    await eventually(was_continued)


async def test_the_rounds_of_a_repeat_are_counted_on(enroll: Enroll, world: World) -> None:
    journey = await enroll({"repeat": {"times": 6, "steps": [VOUCHER]}})
    await journey.outcome()
    assert [request.iteration for request in world.asked(SendMessage)] == [1, 2, 3, 4, 5, 6]
    assert await continued(journey)
