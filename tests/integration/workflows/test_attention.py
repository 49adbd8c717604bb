"""What fails for good parks the enrollment, visibly, until people decide; it never ends silently."""

from datetime import timedelta

import pytest

from journeys.outcomes import JourneyState
from kit.errors import Conflict
from tests.support.ports import NO, World, fails_for_good, outage
from tests.support.temporal import Enroll, eventually
from workflows.messages import Outcome
from workflows.names import DUE_AT, JOURNEY_STATE, JOURNEY_STEP
from workflows.ports import JudgeCondition, SendMessage

VOUCHER = {"id": "voucher", "send": {"template": "voucher"}}
REVIEWED = {
    "id": "reviewed",
    "if": {"none": {"event": "review.created"}},
    "then": [{"id": "request", "send": {"template": "review-request"}}],
    "else": [{"id": "thanks", "send": {"template": "thanks"}}],
}
SENTENCE = "The template 'voucher' does not exist."
GOAL = {"type": "sell", "event": "review.created"}


async def test_a_step_that_fails_for_good_parks_the_enrollment_with_the_reason(enroll: Enroll, world: World) -> None:
    world.sending.then(fails_for_good(SENTENCE))
    journey = await enroll({"wait": "1d"}, VOUCHER)
    await journey.at("wait-1")
    await journey.advance(timedelta(days=1))
    parked = await journey.at("voucher", "needs_attention")
    assert parked.attention == f"NotFound: {SENTENCE}"
    assert world.progress[journey.enrollment_id].attention == parked.attention
    assert SENTENCE in await journey.details()
    description = await journey.handle.describe()
    assert description.typed_search_attributes.get(JOURNEY_STATE) == "needs_attention"
    assert description.typed_search_attributes.get(JOURNEY_STEP) == "voucher"
    assert description.typed_search_attributes.get(DUE_AT) is None
    assert not world.decided(journey.enrollment_id)[1:]


async def test_a_retry_takes_the_step_up_again_under_the_same_key(enroll: Enroll, world: World) -> None:
    world.sending.then(fails_for_good())
    journey = await enroll(VOUCHER)
    await journey.at("voucher", "needs_attention")
    assert (await journey.retry()).step == "voucher"
    assert (await journey.outcome()).state is JourneyState.COMPLETED
    assert [request.iteration for request in world.asked(SendMessage)] == [1, 1]
    assert journey.decided() == [("voucher", "passed", "sent")]


async def test_a_retry_that_fails_again_parks_again(enroll: Enroll, world: World) -> None:
    world.sending.then(fails_for_good("first"), fails_for_good("second"))
    journey = await enroll(VOUCHER)
    await journey.at("voucher", "needs_attention")
    await journey.retry()
    assert (await journey.until(lambda answer: answer.attention == "NotFound: second")).step == "voucher"


async def test_a_parked_step_can_be_skipped(enroll: Enroll, world: World) -> None:
    world.sending.then(fails_for_good(SENTENCE))
    journey = await enroll(VOUCHER, {"id": "listed", "list": {"add": "buyers"}})
    await journey.at("voucher", "needs_attention")
    await journey.skip()
    assert (await journey.outcome()).state is JourneyState.COMPLETED
    decision = world.decided(journey.enrollment_id)[0]
    assert (decision.step, decision.verdict, decision.next_step) == ("voucher", "skipped", "listed")
    assert SENTENCE in decision.because


async def test_a_parked_enrollment_can_leave(enroll: Enroll, world: World) -> None:
    world.sending.then(fails_for_good())
    journey = await enroll(VOUCHER)
    await journey.at("voucher", "needs_attention")
    await journey.request_exit("given up")
    assert await journey.outcome() == Outcome(state=JourneyState.EXITED, reason="given up")


async def test_a_goal_ends_a_parked_enrollment(enroll: Enroll, world: World) -> None:
    world.sending.then(fails_for_good())
    journey = await enroll(VOUCHER, goal=GOAL)
    await journey.at("voucher", "needs_attention")
    await journey.deliver("goal")
    assert (await journey.outcome()).state is JourneyState.GOAL_MET


async def test_a_parked_enrollment_can_be_paused_and_is_parked_again_when_resumed(enroll: Enroll, world: World) -> None:
    world.sending.then(fails_for_good())
    journey = await enroll(VOUCHER)
    await journey.at("voucher", "needs_attention")
    await journey.pause()
    await journey.at("voucher", "paused")
    await journey.resume()
    await journey.at("voucher", "needs_attention")


async def test_only_what_needs_attention_can_be_retried(enroll: Enroll) -> None:
    journey = await enroll({"wait": "1d"})
    await journey.at("wait-1")
    with pytest.raises(Conflict, match="does not need attention"):
        await journey.retry()


async def test_a_condition_that_cannot_be_judged_parks_the_enrollment(enroll: Enroll, world: World) -> None:
    world.judging.then(fails_for_good("'born' is a text and cannot be at least 18."))
    journey = await enroll(REVIEWED)
    parked = await journey.at("reviewed", "needs_attention")
    assert parked.attention == "NotFound: 'born' is a text and cannot be at least 18."
    await journey.retry()
    await journey.outcome()
    assert journey.decided()[0] == ("reviewed", "passed", "yes")


async def test_a_condition_that_holds_leads_to_then(enroll: Enroll, world: World) -> None:
    journey = await enroll(REVIEWED)
    await journey.outcome()
    assert journey.decided() == [("reviewed", "passed", "yes"), ("request", "passed", "sent")]
    (request,) = world.asked(JudgeCondition)
    assert request.condition["none"]["event"] == "review.created"


async def test_a_condition_that_does_not_hold_leads_to_else(enroll: Enroll, world: World) -> None:
    world.judging.then(NO)
    journey = await enroll(REVIEWED)
    await journey.outcome()
    assert journey.decided() == [("reviewed", "passed", "no"), ("thanks", "passed", "sent")]
    decision = world.decided(journey.enrollment_id)[0]
    assert (decision.because, decision.cause_event_id) == (NO.because, NO.cause_event_id)


async def test_a_skipped_condition_goes_the_way_of_no(enroll: Enroll, world: World) -> None:
    world.judging.then(fails_for_good())
    journey = await enroll(REVIEWED)
    await journey.at("reviewed", "needs_attention")
    await journey.skip()
    await journey.outcome()
    assert journey.decided() == [("reviewed", "skipped", ""), ("thanks", "passed", "sent")]


async def test_a_skipped_wait_for_goes_the_way_of_time_passed(enroll: Enroll) -> None:
    journey = await enroll(
        {
            "id": "asked",
            "wait_for": {"event": "page.viewed", "up_to": "2d"},
            "else": [{"id": "reminder", "send": {"template": "reminder"}}],
        }
    )
    await journey.at("asked")
    await journey.skip()
    await journey.outcome()
    assert journey.decided() == [("asked", "skipped", ""), ("reminder", "passed", "sent")]


async def test_a_condition_is_judged_again_until_the_database_is_back(enroll: Enroll, world: World) -> None:
    world.judging.then(outage())
    journey = await enroll(REVIEWED)
    assert (await journey.outcome()).state is JourneyState.COMPLETED
    assert len(world.asked(JudgeCondition)) == 2


async def test_a_judgement_that_only_retries_is_abandoned_for_a_skip(enroll: Enroll, world: World) -> None:
    world.judging.always(outage())
    journey = await enroll(REVIEWED)

    async def several_attempts() -> bool:
        return len(world.asked(JudgeCondition)) > 1

    await eventually(several_attempts)
    await journey.skip()
    await journey.outcome()
    assert journey.decided()[0] == ("reviewed", "skipped", "")


async def test_an_enrollment_outlives_a_database_that_is_away(enroll: Enroll, world: World) -> None:
    """Nothing can be written; the enrollment holds still, takes messages, and ends as it should afterwards."""
    recorded = world.recording.default
    world.recording.always(outage())
    journey = await enroll({"wait": "30d"}, goal=GOAL)
    await journey.advance(timedelta(hours=3))
    await journey.deliver("goal")
    await journey.until(lambda answer: "goal" in answer.met)
    assert not world.reports
    world.recording.always(recorded)
    await journey.advance(timedelta(minutes=3))
    assert (await journey.outcome()).state is JourneyState.GOAL_MET
    assert journey.decided() == [("wait-1", "exited", "")]


async def test_an_enrollment_outlives_bookkeeping_that_is_refused_for_good(enroll: Enroll, world: World) -> None:
    world.recording.then(fails_for_good("a mistake of ours, mended by the next deployment"))
    journey = await enroll({"id": "left", "exit": "done"})
    await journey.advance(timedelta(minutes=11))
    assert await journey.outcome() == Outcome(state=JourneyState.EXITED, reason="done")
    assert journey.decided() == [("left", "exited", "")]
