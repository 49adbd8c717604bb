"""`branch`: one judgement for all conditions; the decision says which way was taken and why."""

from typing import Any

from journeys.conditions.first import FirstHolding
from journeys.outcomes import JourneyState
from tests.support.ports import World, fails_for_good
from tests.support.temporal import Enroll
from workflows.ports import JudgeConditions

VIP = {"in_list": "vip"}
KIND: dict[str, Any] = {
    "id": "kind",
    "branch": [
        {"name": "vip", "if": VIP, "then": [{"id": "gift", "send": {"template": "gift"}}]},
        {"if": {"event": "order.placed", "since": "ever"}, "then": [{"id": "thanks", "send": {"template": "thanks"}}]},
    ],
    "else": [{"id": "wake", "send": {"template": "wake"}}],
}


async def test_the_first_way_that_holds_is_taken_and_the_decision_says_why(enroll: Enroll, world: World) -> None:
    world.choosing.then(FirstHolding(index=1, because="1 order.placed, the latest on …", cause_event_id="order-7"))
    journey = await enroll(KIND)
    assert (await journey.outcome()).state is JourneyState.COMPLETED
    assert journey.decided() == [("kind", "passed", "2"), ("thanks", "passed", "sent")]
    decision = world.decided(journey.enrollment_id)[0]
    assert (decision.because, decision.cause_event_id) == ("branch '2': 1 order.placed, the latest on …", "order-7")


async def test_everybody_else_goes_the_way_of_else(enroll: Enroll, world: World) -> None:
    journey = await enroll(KIND)
    await journey.outcome()
    assert journey.decided() == [("kind", "passed", "else"), ("wake", "passed", "sent")]
    assert world.decided(journey.enrollment_id)[0].because == "no branch holds: not on the list 'vip'"


async def test_all_conditions_are_asked_at_once_in_their_order(enroll: Enroll, world: World) -> None:
    journey = await enroll(KIND)
    await journey.outcome()
    (request,) = world.asked(JudgeConditions)
    assert request.conditions == [VIP, {"event": "order.placed", "since": "ever"}]


async def test_a_condition_that_cannot_be_judged_parks_it_and_a_skip_goes_the_way_of_else(
    enroll: Enroll, world: World
) -> None:
    world.choosing.then(fails_for_good("`at_least` compares numbers, and property 'total' is a text."))
    journey = await enroll(KIND)
    await journey.at("kind", "needs_attention")
    await journey.skip()
    await journey.outcome()
    assert journey.decided() == [("kind", "skipped", ""), ("wake", "passed", "sent")]


async def test_what_may_come_next_names_every_way(enroll: Enroll, world: World) -> None:
    world.choosing.then(fails_for_good())
    journey = await enroll(KIND)
    assert (await journey.at("kind", "needs_attention")).next == [
        "branch 'vip': send 'gift' by email",
        "branch '2': send 'thanks' by email",
        "otherwise: send 'wake' by email",
    ]
    await journey.request_exit("seen enough")
    await journey.outcome()
