"""Waits: they end when they are due, and at once when something ends them earlier."""

from datetime import timedelta

from journeys.outcomes import JourneyState
from tests.support.ports import World
from tests.support.temporal import Enroll
from workflows.messages import Outcome
from workflows.ports import SendMessage

DAY = timedelta(days=1)
GOAL = {"type": "sell", "event": "review.created", "within": "30d"}


async def test_a_wait_of_a_day_is_24_hours(enroll: Enroll, world: World) -> None:
    journey = await enroll({"wait": "1d"}, {"send": {"template": "voucher"}})
    began = (await journey.at("wait-1")).since
    await journey.advance(DAY - timedelta(minutes=10))
    assert not world.asked(SendMessage)
    await journey.advance(timedelta(minutes=10))
    await journey.outcome()
    assert timedelta() <= world.asked(SendMessage)[0].now - (began + DAY) < timedelta(minutes=1)


async def test_a_goal_on_day_1_ends_a_wait_of_30_days_at_once(enroll: Enroll) -> None:
    journey = await enroll({"wait": "30d"}, {"send": {"template": "voucher"}}, goal=GOAL)
    await journey.at("wait-1")
    await journey.advance(DAY)
    event = await journey.deliver("goal")
    assert await journey.outcome() == Outcome(state=JourneyState.GOAL_MET, reason="goal reached: review.created")
    (decision,) = journey.world.decided(journey.enrollment_id)
    assert (decision.step, decision.verdict, decision.cause_event_id) == ("wait-1", "exited", event)
    assert decision.at - decision.entered_at < DAY + timedelta(hours=1)
    assert journey.world.progress[journey.enrollment_id].outcome == "goal reached: review.created"


async def test_an_exit_criterion_ends_it_at_once(enroll: Enroll) -> None:
    journey = await enroll({"wait": "30d"}, exit=[{"event": "order.refunded"}])
    await journey.at("wait-1")
    await journey.deliver("exit:1")
    outcome = await journey.outcome()
    assert outcome == Outcome(state=JourneyState.EXITED, reason="exit criterion met: order.refunded")


async def test_a_requested_exit_ends_it_with_the_reason_given(enroll: Enroll) -> None:
    journey = await enroll({"wait": "30d"})
    await journey.at("wait-1")
    await journey.request_exit("consent withdrawn")
    assert await journey.outcome() == Outcome(state=JourneyState.EXITED, reason="consent withdrawn")


async def test_a_cancellation_in_temporal_is_a_recorded_exit(enroll: Enroll, world: World) -> None:
    journey = await enroll({"wait": "30d"})
    await journey.at("wait-1")
    await journey.handle.cancel()
    assert await journey.outcome() == Outcome(state=JourneyState.EXITED, reason="cancelled in Temporal")
    assert world.progress[journey.enrollment_id].state is JourneyState.EXITED


async def test_a_goal_counts_only_within_its_time_after_entry(enroll: Enroll) -> None:
    journey = await enroll({"wait": "30d"}, goal=GOAL | {"within": "7d"})
    await journey.at("wait-1")
    await journey.deliver("goal", at=journey.run.entered_at + timedelta(days=8))
    assert (await journey.explain()).met == {}
    await journey.deliver("goal", at=journey.run.entered_at + timedelta(days=7))
    assert (await journey.outcome()).state is JourneyState.GOAL_MET


async def test_an_exit_step_ends_the_journey_with_its_reason(enroll: Enroll) -> None:
    journey = await enroll({"exit": "not a customer any more"}, {"send": {"template": "voucher"}})
    assert await journey.outcome() == Outcome(state=JourneyState.EXITED, reason="not a customer any more")
    assert journey.decided() == [("exit-1", "exited", "")]


SINCE_STEP = {"id": "asked", "wait_for": {"event": "page.viewed", "up_to": "2d", "since": "step"}}


class TestWaitFor:
    STEPS = (
        {"wait": "1d"},
        {
            "id": "asked",
            "wait_for": {"event": "page.viewed", "up_to": "2d"},
            "then": [{"id": "thanks", "send": {"template": "thanks"}}],
            "else": [{"id": "reminder", "send": {"template": "reminder"}}],
        },
    )

    async def test_goes_on_when_the_event_arrives(self, enroll: Enroll) -> None:
        journey = await enroll(*self.STEPS)
        await journey.at("wait-1")
        await journey.advance(DAY)
        await journey.at("asked")
        event = await journey.deliver("step:asked")
        await journey.outcome()
        assert journey.decided()[1:] == [("asked", "passed", "arrived"), ("thanks", "passed", "sent")]
        assert journey.world.decided(journey.enrollment_id)[1].cause_event_id == event

    async def test_goes_the_other_way_when_the_time_is_over(self, enroll: Enroll) -> None:
        journey = await enroll(*self.STEPS)
        await journey.at("wait-1")
        await journey.advance(timedelta(days=3, minutes=1))
        await journey.outcome()
        assert journey.decided()[1:] == [("asked", "passed", "timed_out"), ("reminder", "passed", "sent")]

    async def test_takes_an_event_that_came_before_the_step_was_reached(self, enroll: Enroll) -> None:
        journey = await enroll(*self.STEPS)
        await journey.at("wait-1")
        await journey.deliver("step:asked")
        await journey.advance(DAY)
        await journey.outcome()
        assert journey.decided()[1] == ("asked", "passed", "arrived")

    async def test_since_step_ignores_what_came_before(self, enroll: Enroll) -> None:
        journey = await enroll({"wait": "1d"}, SINCE_STEP)
        await journey.at("wait-1")
        await journey.deliver("step:asked")
        await journey.advance(DAY)
        assert (await journey.at("asked")).met
        await journey.advance(timedelta(days=2))
        await journey.outcome()
        assert journey.decided()[1] == ("asked", "passed", "timed_out")

    async def test_since_step_takes_a_later_event_of_the_kind(self, enroll: Enroll) -> None:
        journey = await enroll({"wait": "1d"}, SINCE_STEP)
        await journey.at("wait-1")
        await journey.deliver("step:asked")
        await journey.advance(DAY)
        await journey.at("asked")
        second = await journey.deliver("step:asked")
        await journey.outcome()
        assert journey.decided()[1] == ("asked", "passed", "arrived")
        assert journey.world.decided(journey.enrollment_id)[1].cause_event_id == second


async def test_a_goal_that_is_only_counted_does_not_end_it(enroll: Enroll) -> None:
    journey = await enroll({"wait": "1d"}, goal=GOAL | {"exit": False})
    await journey.at("wait-1")
    await journey.deliver("goal")
    await journey.advance(DAY)
    assert (await journey.outcome()).state is JourneyState.COMPLETED
