"""Starting and delivering: idempotent whatever is repeated, and never mixed up between enrollments."""

from uuid import uuid4

import pytest

from journeys.outcomes import JourneyState
from kit.errors import NotFound, Unavailable
from tests.support.ports import World
from tests.support.temporal import Enroll, JourneyUnderTest
from workflows import starter
from workflows.messages import Delivery
from workflows.names import ENROLLMENT_MEMO
from workflows.starter import DeliverResult, StartResult

WAIT = {"wait": "30d"}
GOAL = {"type": "sell", "event": "review.created"}


async def start_again(journey: JourneyUnderTest, **changes: object) -> StartResult:
    return await starter.start_journey(
        journey.client,
        journey.run.model_copy(update=changes),
        journey.plan,
        workflow_id=journey.workflow_id,
        task_queue=(await journey.handle.describe()).task_queue,
    )


async def runs(journey: JourneyUnderTest) -> list[str]:
    query = f"WorkflowId = '{journey.workflow_id}'"
    return [run.run_id async for run in journey.client.list_workflows(query)]


async def test_a_repeated_start_starts_nothing_twice(enroll: Enroll) -> None:
    journey = await enroll(WAIT)
    await journey.at("wait-1")
    first = (await journey.handle.describe()).run_id
    await start_again(journey)
    assert (await journey.handle.describe()).run_id == first


async def test_a_repeated_start_of_an_ended_enrollment_starts_nothing(enroll: Enroll, world: World) -> None:
    journey = await enroll({"id": "voucher", "send": {"template": "voucher"}})
    await journey.outcome()
    first = (await journey.handle.describe()).run_id
    await start_again(journey)
    assert (await journey.handle.describe()).run_id == first
    assert len(world.requests) == 1


async def test_a_start_while_an_earlier_enrollment_still_closes_is_to_be_repeated(enroll: Enroll) -> None:
    journey = await enroll(WAIT)
    await journey.at("wait-1")
    with pytest.raises(Unavailable, match="still closing"):
        await start_again(journey, enrollment_id=uuid4())


async def test_another_enrollment_starts_once_the_earlier_one_has_ended(enroll: Enroll) -> None:
    journey = await enroll(WAIT)
    await journey.at("wait-1")
    await journey.request_exit("moved")
    await journey.outcome()
    another = uuid4()
    assert await start_again(journey, enrollment_id=another) is StartResult.STARTED
    description = await journey.client.get_workflow_handle(journey.workflow_id).describe()
    assert await description.memo_value(ENROLLMENT_MEMO) == str(another)


async def test_a_delivery_for_another_enrollment_is_ignored(enroll: Enroll) -> None:
    journey = await enroll(WAIT, goal=GOAL)
    await journey.at("wait-1")
    await journey.deliver("goal", enrollment_id=uuid4())
    own = await journey.deliver("goal")
    assert (await journey.outcome()).state is JourneyState.GOAL_MET
    assert journey.world.decided(journey.enrollment_id)[0].cause_event_id == own


async def test_an_event_delivered_three_times_is_taken_once(enroll: Enroll) -> None:
    journey = await enroll(WAIT, {"id": "asked", "wait_for": {"event": "page.viewed", "up_to": "1d"}})
    await journey.at("wait-1")
    at = await journey.now()
    for _ in range(3):
        await journey.deliver("step:asked", event_id="event-7", at=at)
    await journey.until(lambda answer: bool(answer.met))
    events = (await journey.history()).events
    assert sum(event.HasField("workflow_execution_signaled_event_attributes") for event in events) == 1


async def test_the_first_event_that_meets_a_criterion_is_the_one_remembered(enroll: Enroll) -> None:
    journey = await enroll(WAIT, {"id": "asked", "wait_for": {"event": "page.viewed", "up_to": "1d"}})
    await journey.at("wait-1")
    first = await journey.deliver("step:asked")
    await journey.deliver("step:asked")
    await journey.deliver("step:unknown")
    assert {name: met.event_id for name, met in (await journey.explain()).met.items()} == {"step:asked": first}


async def test_a_signal_nobody_knows_disturbs_nothing(enroll: Enroll) -> None:
    journey = await enroll(WAIT, goal=GOAL)
    await journey.at("wait-1")
    await journey.handle.signal("from_the_future", {"new": True})
    await journey.deliver("goal")
    assert (await journey.outcome()).state is JourneyState.GOAL_MET


async def test_a_delivery_to_what_has_ended_says_so(enroll: Enroll) -> None:
    journey = await enroll({"exit": "done"})
    await journey.outcome()
    delivery = Delivery(enrollment_id=journey.enrollment_id, event_id="e", at=await journey.now(), criteria=["goal"])
    assert await starter.deliver(journey.client, journey.workflow_id, delivery) is DeliverResult.GONE


async def test_a_delivery_to_what_runs_is_delivered(enroll: Enroll) -> None:
    journey = await enroll(WAIT)
    delivery = Delivery(enrollment_id=journey.enrollment_id, event_id="e", at=await journey.now(), criteria=[])
    assert await starter.deliver(journey.client, journey.workflow_id, delivery) is DeliverResult.DELIVERED


async def test_what_never_started_cannot_be_explained(enroll: Enroll) -> None:
    journey = await enroll(WAIT)
    with pytest.raises(NotFound, match="never started"):
        await starter.explain(journey.client, f"voucher-and-review:{uuid4()}")


async def test_an_ended_enrollment_can_still_be_explained(enroll: Enroll) -> None:
    journey = await enroll({"id": "left", "exit": "done"})
    await journey.outcome()
    explanation = await journey.explain()
    assert (explanation.state, explanation.step, explanation.next) == (JourneyState.EXITED, None, [])
