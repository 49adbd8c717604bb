"""A goal with steps of its own, met while the contact waits, is stuck or is paused."""

from datetime import timedelta
from typing import Any

from journeys.outcomes import JourneyState
from tests.support.ports import World, outage
from tests.support.temporal import Enroll, eventually
from workflows.ports import SendMessage

GOAL: dict[str, Any] = {
    "type": "sell",
    "event": "order.placed",
    "then": [{"id": "thanks", "send": {"template": "thanks"}}, {"id": "later", "wait": "1d"}],
}
OFFER = {"id": "offer", "send": {"template": "offer"}}


async def test_a_wait_ends_at_once_the_steps_are_walked_and_the_end_is_the_goals(enroll: Enroll, world: World) -> None:
    journey = await enroll({"id": "pause", "wait": "30d"}, OFFER, goal=GOAL)
    await journey.at("pause")
    await journey.deliver("goal")
    waiting = await journey.at("later")
    assert waiting.until is not None
    await journey.deliver("goal", event_id="once-more")
    await journey.advance(timedelta(days=1))
    assert (await journey.outcome()).state is JourneyState.GOAL_MET
    assert [request.template for request in world.asked(SendMessage)] == ["thanks"]
    assert [step for step, _, _ in journey.decided()] == ["pause", "thanks", "later"]


async def test_an_action_without_an_end_is_given_up_for_the_steps(enroll: Enroll, world: World) -> None:
    world.sending.always(outage())
    journey = await enroll(OFFER, goal=GOAL)

    async def an_attempt_failed() -> bool:
        return bool(world.asked(SendMessage))

    await eventually(an_attempt_failed)
    await journey.deliver("goal")

    async def thanked() -> bool:
        return any(request.template == "thanks" for request in world.asked(SendMessage))

    await eventually(thanked)
    await journey.request_exit("enough")
    outcome = await journey.outcome()
    assert (outcome.state, outcome.reason) == (JourneyState.GOAL_MET, "goal reached: order.placed; then enough")
