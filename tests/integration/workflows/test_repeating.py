"""`repeat`: rounds are counted, bounded and ended early; what is done in a round is done once per round."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from journeys.conditions.first import FirstHolding
from tests.support.ports import NONE_HOLDS, World, fails_for_good, outage
from tests.support.temporal import Enroll
from workflows.messages import Explanation
from workflows.ports import ChangeList, JudgeConditions, SendMessage

DAY = timedelta(days=1)
MAIL = {"id": "mail", "send": {"template": "reminder"}}
PAUSE = {"id": "pause", "wait": "1d"}
HOLDS = FirstHolding(index=0, because="1 invoice.paid", cause_event_id="paid-1")
UNTIL = {"event": "invoice.paid", "since": "step"}


def loop(times: int, *steps: dict[str, Any], step_id: str = "loop", **more: Any) -> dict[str, Any]:
    return {"id": step_id, "repeat": {"times": times, "steps": list(steps), **more}}


async def test_a_message_is_sent_once_per_round_under_a_key_of_its_own(enroll: Enroll, world: World) -> None:
    journey = await enroll(loop(3, MAIL, PAUSE))
    for _ in range(3):
        await journey.at("pause")
        await journey.advance(DAY)
    await journey.outcome()
    assert [(request.step, request.iteration) for request in world.asked(SendMessage)] == [
        ("mail", 1),
        ("mail", 2),
        ("mail", 3),
    ]
    rounds = [item for item in world.decided(journey.enrollment_id) if item.step == "loop"]
    assert [(item.because, item.result, item.next_step) for item in rounds] == [
        ("round 1 of 3", "", "mail"),
        ("round 2 of 3", "", "mail"),
        ("round 3 of 3", "", "mail"),
        ("3 rounds are done", "done", None),
    ]


async def test_an_attempt_that_is_made_again_keeps_the_key_of_its_round(enroll: Enroll, world: World) -> None:
    world.sending.then(outage())
    journey = await enroll(loop(2, MAIL))
    await journey.outcome()
    assert [request.iteration for request in world.asked(SendMessage)] == [1, 1, 2]


async def test_a_condition_that_holds_before_the_first_round_leaves_all_out(enroll: Enroll, world: World) -> None:
    world.choosing.then(HOLDS)
    journey = await enroll(loop(3, MAIL, PAUSE, until=UNTIL))
    await journey.outcome()
    assert journey.decided() == [("loop", "passed", "fulfilled")]
    decision = world.decided(journey.enrollment_id)[0]
    assert (decision.because, decision.cause_event_id) == ("after 0 rounds: 1 invoice.paid", "paid-1")


async def test_a_condition_that_holds_after_a_round_ends_it(enroll: Enroll, world: World) -> None:
    world.choosing.then(NONE_HOLDS, HOLDS)
    journey = await enroll(loop(3, MAIL, PAUSE, until=UNTIL))
    began = (await journey.at("pause")).since
    await journey.advance(DAY)
    await journey.outcome()
    assert journey.decided()[-1] == ("loop", "passed", "fulfilled")
    assert len(world.asked(SendMessage)) == 1
    first, second = world.asked(JudgeConditions)
    assert first.step_since == second.step_since
    assert first.step_since <= began, "what comes since the step counts from the first round on"


async def test_the_condition_is_judged_after_the_last_round_too(enroll: Enroll, world: World) -> None:
    world.choosing.then(NONE_HOLDS, NONE_HOLDS, HOLDS)
    journey = await enroll(loop(2, MAIL, until=UNTIL))
    await journey.outcome()
    assert journey.decided()[-1] == ("loop", "passed", "fulfilled")
    assert len(world.asked(SendMessage)) == 2


async def test_an_inner_loop_begins_anew_in_each_outer_round(enroll: Enroll, world: World) -> None:
    inner = loop(2, {"id": "add", "list": {"add": "seen"}}, step_id="inner")
    journey = await enroll(loop(3, inner, step_id="outer"))
    await journey.outcome()
    assert [request.iteration for request in world.asked(ChangeList)] == [1, 2, 3, 4, 5, 6]
    inner_ends = [item for item in journey.decided() if item == ("inner", "passed", "done")]
    assert len(inner_ends) == 3
    assert journey.decided()[-1] == ("outer", "passed", "done")


async def test_a_repeat_that_is_skipped_between_rounds_begins_anew_when_reached_again(
    enroll: Enroll, world: World
) -> None:
    world.choosing.then(NONE_HOLDS, fails_for_good())
    inner = loop(2, {"id": "add", "list": {"add": "seen"}}, step_id="inner", until=UNTIL)
    journey = await enroll(loop(2, inner, PAUSE, step_id="outer"))
    await journey.at("inner", "needs_attention")
    await journey.skip()
    for _ in range(2):
        await journey.at("pause")
        await journey.advance(DAY)
    await journey.outcome()
    assert [request.iteration for request in world.asked(ChangeList)] == [1, 2, 3]
    assert ("inner", "skipped", "") in journey.decided()


async def test_a_goal_ends_it_amid_a_round(enroll: Enroll) -> None:
    journey = await enroll(loop(100, MAIL, PAUSE), goal={"type": "sell", "event": "order.placed"})
    await journey.at("pause")
    await journey.deliver("goal")
    assert (await journey.outcome()).state == "goal_met"


def _has_moved(before: datetime, answer: Explanation) -> bool:
    return answer.step is None or answer.since > before


async def test_each_round_may_wait_for_an_event_of_its_own(enroll: Enroll) -> None:
    view = {"id": "view", "wait_for": {"event": "page.viewed", "up_to": "5d", "since": "step"}}
    journey = await enroll(loop(2, view))
    for _ in range(2):
        before = (await journey.at("view")).since
        await journey.advance(timedelta(hours=1))
        await journey.deliver("step:view")
        await journey.until(partial(_has_moved, before))
    await journey.outcome()
    assert [item for item in journey.decided() if item[0] == "view"] == [("view", "passed", "arrived")] * 2
