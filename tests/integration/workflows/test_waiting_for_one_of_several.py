"""Waits for a condition and for one of several things: when they look, what wins, and where they end."""

from datetime import timedelta
from typing import Any

from journeys.conditions.first import FirstHolding
from tests.support.ports import NONE_HOLDS, World
from tests.support.temporal import Enroll, JourneyUnderTest, eventually
from workflows.ports import JudgeConditions

DAY = timedelta(days=1)
HOLDS = FirstHolding(index=0, because="on the list 'vip'", cause_event_id="joined-1")
THANKS = {"id": "thanks", "send": {"template": "thanks"}}
REMINDER = {"id": "reminder", "send": {"template": "reminder"}}
VIP = {"in_list": "vip"}
MEMBER: dict[str, Any] = {
    "id": "member",
    "wait_for": {"condition": VIP, "up_to": "7d"},
    "then": [THANKS],
    "else": [REMINDER],
}


async def looked(journey: JourneyUnderTest, times: int) -> None:
    async def so_often() -> bool:
        return len(journey.world.asked(JudgeConditions)) == times

    await eventually(so_often)


class TestCondition:
    async def test_one_that_holds_already_is_not_waited_for(self, enroll: Enroll, world: World) -> None:
        world.choosing.then(HOLDS)
        journey = await enroll(MEMBER)
        await journey.outcome()
        assert journey.decided() == [("member", "passed", "holds"), ("thanks", "passed", "sent")]
        decision = world.decided(journey.enrollment_id)[0]
        assert (decision.because, decision.cause_event_id) == ("on the list 'vip'", "joined-1")

    async def test_it_is_judged_again_when_an_event_may_have_changed_it(self, enroll: Enroll, world: World) -> None:
        journey = await enroll(MEMBER)
        await journey.at("member")
        await journey.deliver("look:member:2")
        await looked(journey, 2)
        world.choosing.then(HOLDS)
        await journey.deliver("look:member:1")
        await journey.outcome()
        assert journey.decided()[0] == ("member", "passed", "holds")
        assert [request.conditions for request in world.asked(JudgeConditions)] == [[VIP]] * 3

    async def test_a_second_event_of_one_kind_is_heard_too(self, enroll: Enroll) -> None:
        journey = await enroll(MEMBER)
        await journey.at("member")
        for number in (2, 3, 4):
            await journey.deliver("look:member:1")
            await looked(journey, number)
        await journey.advance(7 * DAY)
        await journey.outcome()
        assert journey.decided()[0] == ("member", "passed", "timed_out")

    async def test_looking_again_does_not_move_the_end_of_the_wait(self, enroll: Enroll) -> None:
        journey = await enroll(MEMBER)
        before = await journey.at("member")
        await journey.advance(DAY)
        await journey.deliver("look:member:1")
        await looked(journey, 2)
        assert (await journey.at("member")).until == before.until == before.since + 7 * DAY
        await journey.advance(6 * DAY)
        await journey.outcome()
        assert journey.decided() == [("member", "passed", "timed_out"), ("reminder", "passed", "sent")]

    async def test_what_time_alone_changes_is_noticed_in_time(self, enroll: Enroll, world: World) -> None:
        """No event tells that something has not happened for a week."""

        async def in_two_days(request: JudgeConditions) -> FirstHolding:
            return FirstHolding(index=None, because="…", again_at=request.now + 2 * DAY)

        world.choosing.then(in_two_days, HOLDS)
        journey = await enroll(MEMBER)
        waiting = await journey.at("member")
        assert waiting.until == waiting.since + 7 * DAY
        await journey.advance(2 * DAY)
        await journey.outcome()
        first, second = world.asked(JudgeConditions)
        assert timedelta() <= second.now - (first.now + 2 * DAY) < timedelta(minutes=1)
        assert journey.decided()[0] == ("member", "passed", "holds")

    async def test_an_event_of_a_clock_that_runs_ahead_is_looked_at_when_its_time_has_come(
        self, enroll: Enroll, world: World
    ) -> None:
        journey = await enroll(MEMBER)
        await journey.at("member")
        await journey.deliver("look:member:1", at=await journey.now() + DAY)
        await looked(journey, 2)
        world.choosing.then(HOLDS)
        await journey.advance(DAY)
        await journey.outcome()
        assert journey.decided()[0] == ("member", "passed", "holds")

    async def test_a_skip_goes_the_way_of_time_passed(self, enroll: Enroll) -> None:
        journey = await enroll(MEMBER)
        await journey.at("member")
        await journey.skip()
        await journey.outcome()
        assert journey.decided() == [("member", "skipped", ""), ("reminder", "passed", "sent")]

    async def test_a_pause_holds_it_and_on_resuming_it_looks_again(self, enroll: Enroll, world: World) -> None:
        journey = await enroll(MEMBER)
        await journey.at("member")
        await journey.pause()
        await journey.deliver("look:member:1")
        await journey.at("member", "paused")
        assert len(world.asked(JudgeConditions)) == 1
        world.choosing.then(HOLDS)
        await journey.resume()
        await journey.outcome()
        assert journey.decided()[0] == ("member", "passed", "holds")


def first_of(**more: Any) -> dict[str, Any]:
    return {
        "id": "reaction",
        "wait_for": {
            "first_of": [
                {"name": "bought", "event": "order.placed", "then": [THANKS]},
                {"name": "vip", "condition": VIP, "then": [{"id": "gift", "send": {"template": "gift"}}]},
                {"event": "page.viewed", "then": [{"id": "offer", "send": {"template": "offer"}}]},
            ],
            "up_to": "3d",
            **more,
        },
        "else": [REMINDER],
    }


class TestFirstOf:
    async def test_the_first_event_decides_at_once(self, enroll: Enroll, world: World) -> None:
        journey = await enroll(first_of())
        await journey.at("reaction")
        event = await journey.deliver("step:reaction:3")
        await journey.outcome()
        assert journey.decided() == [("reaction", "passed", "3"), ("offer", "passed", "sent")]
        decision = world.decided(journey.enrollment_id)[0]
        assert (decision.because, decision.cause_event_id) == ("page.viewed came", event)

    async def test_of_several_that_came_before_the_step_the_earliest_decides(self, enroll: Enroll) -> None:
        journey = await enroll({"wait": "1d"}, first_of())
        at = (await journey.at("wait-1")).since
        await journey.deliver("step:reaction:bought", at=at + timedelta(hours=2))
        await journey.deliver("step:reaction:3", at=at + timedelta(hours=1))
        await journey.advance(DAY)
        await journey.outcome()
        assert journey.decided()[1] == ("reaction", "passed", "3")

    async def test_a_condition_that_holds_decides_where_no_event_has_come(self, enroll: Enroll, world: World) -> None:
        world.choosing.then(HOLDS)
        journey = await enroll(first_of())
        await journey.outcome()
        assert journey.decided() == [("reaction", "passed", "vip"), ("gift", "passed", "sent")]

    async def test_where_the_time_is_over_it_goes_the_way_of_else(self, enroll: Enroll, world: World) -> None:
        journey = await enroll(first_of())
        await journey.at("reaction")
        await journey.advance(3 * DAY)
        await journey.outcome()
        assert journey.decided() == [("reaction", "passed", "timed_out"), ("reminder", "passed", "sent")]
        assert world.decided(journey.enrollment_id)[0].because == "nothing of it within 3d"

    async def test_without_conditions_nothing_is_judged(self, enroll: Enroll, world: World) -> None:
        journey = await enroll({"wait_for": {"first_of": [{"event": "a"}, {"event": "b"}], "up_to": "1d"}})
        await journey.at("wait-for-1")
        await journey.deliver("step:wait-for-1:2")
        await journey.outcome()
        assert not world.asked(JudgeConditions)


class TestRanked:
    async def test_it_holds_to_the_end_and_the_highest_rank_wins(self, enroll: Enroll, world: World) -> None:
        journey = await enroll(first_of(ranked=True))
        reached = (await journey.at("reaction")).since
        await journey.deliver("step:reaction:3")
        await journey.advance(DAY)
        await journey.deliver("step:reaction:bought")
        await journey.advance(2 * DAY)
        await journey.outcome()
        assert journey.decided() == [("reaction", "passed", "bought"), ("thanks", "passed", "sent")]
        decision = world.decided(journey.enrollment_id)[0]
        assert timedelta() <= decision.at - (reached + 3 * DAY) < timedelta(minutes=1)

    async def test_a_condition_of_higher_rank_is_judged_at_the_end(self, enroll: Enroll, world: World) -> None:
        world.choosing.then(HOLDS)
        journey = await enroll(first_of(ranked=True))
        await journey.at("reaction")
        await journey.deliver("step:reaction:3")
        assert not world.asked(JudgeConditions)
        await journey.advance(3 * DAY)
        await journey.outcome()
        assert journey.decided()[0] == ("reaction", "passed", "vip")

    async def test_a_condition_that_does_not_hold_leaves_it_to_the_next(self, enroll: Enroll, world: World) -> None:
        world.choosing.then(NONE_HOLDS)
        journey = await enroll(first_of(ranked=True))
        await journey.at("reaction")
        await journey.deliver("step:reaction:3")
        await journey.advance(3 * DAY)
        await journey.outcome()
        assert journey.decided()[0] == ("reaction", "passed", "3")

    async def test_where_nothing_is_there_at_the_end_it_goes_the_way_of_else(self, enroll: Enroll) -> None:
        journey = await enroll(first_of(ranked=True))
        await journey.at("reaction")
        await journey.advance(3 * DAY)
        await journey.outcome()
        assert journey.decided()[0] == ("reaction", "passed", "timed_out")
