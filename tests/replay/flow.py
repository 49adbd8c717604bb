"""The passages through steps that lead elsewhere or let somebody else decide; see `tests.replay.scenarios`."""

from datetime import timedelta
from typing import Any

from tests.support.ports import World
from tests.support.temporal import Enroll, JourneyUnderTest
from workflows.ports import ActionResult

WAIT = {"wait": "1d"}
VOUCHER = {"id": "voucher", "send": {"template": "voucher"}}


async def start(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.starting.then(ActionResult(result="refused", because="cooling_down: may enter again from … on"))
    properties = {"product": "$entry.product_id", "seats": 3}
    return await enroll(
        {"start": {"journey": "onboarding", "properties": properties, "entry_key": "$entry.order_id"}},
        {"start": {"journey": "care"}},
    )


EXPERIMENT: dict[str, Any] = {
    "experiment": "length",
    "arms": {"short": {"share": 50, "steps": [VOUCHER]}, "long": {"share": 50, "steps": [WAIT]}},
}


async def split(enroll: Enroll, _world: World) -> JourneyUnderTest:
    arms = {name: {"share": 50} for name in ("short", "long")}
    return await enroll({"id": "drawn", "split": {**EXPERIMENT, "arms": arms}})


async def split_won(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.winning["length"] = "short"
    return await enroll(
        {"repeat": {"times": 2, "steps": [{"split": {**EXPERIMENT, "winner": {"after": 1_000}}}]}},
        goal={"type": "sell", "event": "order.placed", "within": "30d"},
    )


DISCOUNT: dict[str, Any] = {
    "id": "discount",
    "approve": {"by": "sales", "up_to": "3d", "question": "Grant the discount?"},
    "then": [VOUCHER],
    "rejected": [{"list": {"add": "rejected"}}],
    "else": [{"exit": "nobody answered"}],
}


async def approve(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll(DISCOUNT)
    await journey.at("discount")
    await journey.decide("approved", step="discount")
    return journey


async def approve_rejected(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll(DISCOUNT)
    await journey.at("discount")
    await journey.decide("rejected")
    return journey


async def approve_timed_out(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll(DISCOUNT)
    await journey.at("discount")
    await journey.advance(timedelta(days=3))
    return journey


REWARDED: dict[str, Any] = {"type": "sell", "event": "order.placed", "then": [VOUCHER, WAIT, {"list": {"add": "fans"}}]}


async def goal_with_steps(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll({"wait": "30d"}, goal=REWARDED)
    await journey.at("wait-1")
    await journey.advance(timedelta(days=1))
    await journey.deliver("goal")
    await journey.at("wait-2")
    await journey.advance(timedelta(days=1))
    return journey


async def goal_with_steps_cut_short(enroll: Enroll, _world: World) -> JourneyUnderTest:
    """Met during a pause, which holds at the first of the steps; an exit comes while they are walked."""
    journey = await enroll({"wait": "30d"}, goal=REWARDED, exit=[{"event": "order.refunded"}])
    await journey.at("wait-1")
    await journey.pause()
    await journey.at("wait-1", "paused")
    await journey.deliver("goal")
    await journey.at("voucher", "paused")
    await journey.resume()
    await journey.at("wait-2")
    await journey.deliver("exit:1", event_id="refund")
    return journey


FLOW = (
    start,
    split,
    split_won,
    approve,
    approve_rejected,
    approve_timed_out,
    goal_with_steps,
    goal_with_steps_cut_short,
)
