"""`approve`: an answer decides at once, counts once, and is only taken where it is waited for."""

from datetime import timedelta
from typing import Any

import pytest

from journeys.outcomes import JourneyState
from kit.errors import Conflict
from tests.support.ports import World
from tests.support.temporal import Enroll

DAY = timedelta(days=1)
DISCOUNT: dict[str, Any] = {
    "id": "discount",
    "approve": {"by": "sales", "question": "Grant the discount?", "up_to": "3d"},
    "then": [{"id": "offer", "send": {"template": "offer"}}],
    "rejected": [{"id": "thanks", "send": {"template": "thanks"}}],
    "else": [{"id": "forgotten", "list": {"add": "forgotten"}}],
}


async def test_an_approval_goes_on_at_once_and_says_who_gave_it(enroll: Enroll, world: World) -> None:
    journey = await enroll(DISCOUNT)
    waiting = await journey.at("discount")
    assert waiting.doing == "approval by sales, at most 3 days: Grant the discount?"
    assert waiting.until == waiting.since + 3 * DAY
    await journey.decide("approved")
    await journey.outcome()
    assert journey.decided() == [("discount", "passed", "approved"), ("offer", "passed", "sent")]
    assert world.decided(journey.enrollment_id)[0].because == "approved by ops-1: looked into it"


async def test_a_rejection_goes_its_own_way(enroll: Enroll) -> None:
    journey = await enroll(DISCOUNT)
    await journey.at("discount")
    await journey.decide("rejected", step="discount")
    await journey.outcome()
    assert journey.decided() == [("discount", "passed", "rejected"), ("thanks", "passed", "sent")]


async def test_without_an_answer_it_goes_on_when_the_time_is_over(enroll: Enroll, world: World) -> None:
    journey = await enroll(DISCOUNT)
    await journey.at("discount")
    await journey.advance(3 * DAY)
    await journey.outcome()
    assert journey.decided()[0] == ("discount", "passed", "timed_out")
    assert world.decided(journey.enrollment_id)[0].because == "no answer within 3d"


async def test_an_answer_is_rejected_where_none_is_waited_for(enroll: Enroll) -> None:
    journey = await enroll({"wait": "1d"}, DISCOUNT)
    await journey.at("wait-1")
    with pytest.raises(Conflict, match="does not wait for a decision: it stands at step 'wait-1'"):
        await journey.decide("approved")
    await journey.skip()
    await journey.at("discount")
    with pytest.raises(Conflict, match="waits for a decision at step 'discount', not at 'refund'"):
        await journey.decide("approved", step="refund")
    await journey.request_exit("done")
    await journey.outcome()


async def test_the_first_answer_counts_and_waits_for_the_end_of_a_pause(enroll: Enroll) -> None:
    journey = await enroll(DISCOUNT)
    await journey.at("discount")
    await journey.pause()
    await journey.decide("rejected")
    with pytest.raises(Conflict, match="decided already"):
        await journey.decide("approved")
    assert (await journey.explain()).state is JourneyState.PAUSED
    await journey.resume()
    await journey.outcome()
    assert journey.decided()[0] == ("discount", "passed", "rejected")


async def test_an_answer_that_a_skip_has_overtaken_decides_nothing_later(enroll: Enroll) -> None:
    again = {**DISCOUNT, "id": "second", "then": [], "rejected": [], "else": []}
    journey = await enroll({**DISCOUNT, "else": []}, again)
    await journey.at("discount")
    await journey.pause()
    await journey.decide("approved")
    await journey.skip()
    await journey.resume()
    await journey.at("second")
    await journey.decide("rejected")
    await journey.outcome()
    assert journey.decided() == [("discount", "skipped", ""), ("second", "passed", "rejected")]


async def test_a_goal_ends_it_like_any_wait(enroll: Enroll) -> None:
    journey = await enroll(DISCOUNT, goal={"type": "sell", "event": "order.placed"})
    await journey.at("discount")
    await journey.deliver("goal")
    assert (await journey.outcome()).state is JourneyState.GOAL_MET
