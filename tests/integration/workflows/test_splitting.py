"""`split`: the arm is drawn in the workflow itself; only a winner is asked for."""

from typing import Any

from journeys.experiments import arm_of
from tests.support.ports import World, fails_for_good
from tests.support.temporal import Enroll, JourneyUnderTest
from workflows.ports import ChooseArm, SendMessage

SHARES = {"a": 50, "b": 50}


def split(**more: Any) -> dict[str, Any]:
    arms = {
        name: {"share": share, "steps": [{"id": name, "send": {"template": name}}]} for name, share in SHARES.items()
    }
    return {"id": "drawn", "split": {"experiment": "length", "arms": arms, **more}}


GOAL = {"type": "sell", "event": "order.placed", "within": "30d"}
WINNER = {"after": 1_000, "confidence": 0.9}


def drawn(journey: JourneyUnderTest) -> str:
    return arm_of(journey.run.contact_id, "length", SHARES)


async def test_the_contact_goes_the_way_it_is_drawn_into(enroll: Enroll, world: World) -> None:
    for _ in range(6):
        journey = await enroll(split())
        await journey.outcome()
        arm = drawn(journey)
        assert journey.decided() == [("drawn", "passed", arm), (arm, "passed", "sent")]
        assert world.decided(journey.enrollment_id)[0].because == f"drawn into arm '{arm}' of 'length'"
    assert not world.asked(ChooseArm), "without a winner nobody is asked"


async def test_a_winner_takes_those_who_were_drawn_into_another_arm(enroll: Enroll, world: World) -> None:
    world.winning["length"] = "b"
    for _ in range(4):
        journey = await enroll(split(winner=WINNER), goal=GOAL)
        await journey.outcome()
        assert journey.decided()[0] == ("drawn", "passed", "b")
        assert world.decided(journey.enrollment_id)[0].because == "'b' has won"
    request = world.asked(ChooseArm)[-1]
    assert (request.journey, request.experiment, request.arms) == ("voucher-and-review", "length", ["a", "b"])
    assert (request.drawn, request.after, request.confidence) == (drawn(journey), 1_000, 0.9)


async def test_until_there_is_a_winner_the_draw_decides(enroll: Enroll) -> None:
    journey = await enroll(split(winner=WINNER), goal=GOAL)
    await journey.outcome()
    assert journey.decided()[0] == ("drawn", "passed", drawn(journey))


async def test_whoever_is_inside_stays_in_the_arm_it_went_first(enroll: Enroll, world: World) -> None:
    journey = await enroll({"repeat": {"times": 2, "steps": [split(winner=WINNER), {"wait": "1d"}]}}, goal=GOAL)
    await journey.at("wait-1")
    arm = drawn(journey)
    world.winning["length"] = "b" if arm == "a" else "a"
    await journey.skip()
    await journey.until(lambda answer: answer.step == "wait-1" and answer.state == "waiting")
    await journey.skip()
    await journey.outcome()
    assert [item for item in journey.decided() if item[0] == "drawn"] == [("drawn", "passed", arm)] * 2
    assert [request.step for request in world.asked(SendMessage)] == [arm, arm]


async def test_a_split_that_cannot_be_decided_may_be_skipped(enroll: Enroll, world: World) -> None:
    world.sending.always(fails_for_good())
    journey = await enroll(split(), {"id": "behind", "list": {"add": "seen"}})
    arm = drawn(journey)
    await journey.at(arm, "needs_attention")
    await journey.skip()
    await journey.outcome()
    assert journey.decided()[-1] == ("behind", "passed", "changed")
