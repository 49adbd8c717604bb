"""Pause and resume: a paused enrollment stands still at its step, and nothing leaves it."""

from datetime import timedelta

import pytest

from journeys.outcomes import JourneyState
from journeys.resuming import Resuming
from kit.errors import Conflict, NotFound
from tests.support.ports import SENT, World, outage
from tests.support.temporal import BY_OPS, Enroll, JourneyUnderTest, eventually
from workflows import starter
from workflows.messages import Command
from workflows.ports import SendMessage

DAY = timedelta(days=1)
STEPS = ({"wait": "1d"}, {"id": "voucher", "send": {"template": "voucher"}})


async def test_a_timer_that_falls_due_during_a_pause_takes_effect_on_resuming(enroll: Enroll, world: World) -> None:
    journey = await enroll(*STEPS)
    before = await journey.at("wait-1")
    paused = await journey.pause()
    assert (paused.state, paused.step, paused.until) == (JourneyState.PAUSED, "wait-1", before.until)
    await journey.at("wait-1", "paused")
    assert not await timers_running(journey)
    await journey.resume()
    assert (await journey.at("wait-1")).until == before.until
    await journey.advance(DAY)
    await journey.outcome()
    assert len(world.asked(SendMessage)) == 1


async def test_a_pause_beyond_the_due_time_goes_on_at_once_when_resumed(enroll: Enroll, world: World) -> None:
    journey = await enroll(*STEPS)
    await journey.at("wait-1")
    paused = await journey.pause()
    await journey.at("wait-1", "paused")
    await journey.advance(2 * DAY)
    assert paused.until is not None
    assert await journey.now() > paused.until
    assert not world.asked(SendMessage)
    await journey.resume()
    await journey.outcome()
    assert [step for step, _, _ in journey.decided()] == ["wait-1", "voucher"]


async def test_shift_moves_the_end_of_the_wait_by_the_length_of_the_pause(enroll: Enroll, world: World) -> None:
    journey = await enroll(*STEPS)
    before = (await journey.at("wait-1")).until
    await journey.pause()
    await journey.at("wait-1", "paused")
    await journey.advance(3 * DAY)
    after = (await journey.resume(Resuming.SHIFT)).until
    assert before is not None
    assert after is not None
    assert 3 * DAY <= after - before < 3 * DAY + timedelta(minutes=3)
    await journey.at("wait-1")
    await journey.advance(DAY - timedelta(minutes=10))
    assert not world.asked(SendMessage)
    await journey.advance(timedelta(minutes=10))
    await journey.outcome()
    assert await said(journey, "wait-1") == "time passed (its end moved by a pause of 3 days"
    assert len(world.asked(SendMessage)) == 1


async def test_shift_forgives_the_pause_what_is_of_use_for_a_time_only(enroll: Enroll, world: World) -> None:
    journey = await enroll(STEPS[0], STEPS[1] | {"expires_after": "6h"})
    await journey.at("wait-1")
    await journey.pause()
    await journey.at("wait-1", "paused")
    await journey.advance(3 * DAY)
    await journey.resume(Resuming.SHIFT)
    await journey.at("wait-1")
    await journey.advance(DAY)
    await journey.outcome()
    assert len(world.asked(SendMessage)) == 1


async def test_dropping_leaves_out_only_messages_whose_time_passed_during_the_pause(
    enroll: Enroll, world: World
) -> None:
    listed = {"id": "listed", "list": {"add": "reminded"}}
    journey = await enroll(*STEPS, listed, {"wait": "1d"}, {"id": "later", "send": {"template": "later"}})
    await journey.at("wait-1")
    await journey.pause()
    await journey.at("wait-1", "paused")
    await journey.advance(3 * DAY)
    await journey.resume(Resuming.DROP_IF_LATE)
    await journey.at("wait-2")
    await journey.advance(DAY)
    await journey.outcome()
    assert [request.step for request in world.asked(SendMessage)] == ["later"]
    assert ("voucher", "skipped", "") in journey.decided()
    assert ("listed", "passed", "changed") in journey.decided()
    assert (await said(journey, "voucher")).startswith("its time passed during a pause, 2 days")


async def test_dropping_leaves_a_message_in_time_alone(enroll: Enroll, world: World) -> None:
    journey = await enroll(*STEPS)
    await journey.at("wait-1")
    await journey.pause()
    await journey.at("wait-1", "paused")
    await journey.advance(timedelta(hours=2))
    await journey.resume(Resuming.DROP_IF_LATE)
    await journey.at("wait-1")
    await journey.advance(DAY)
    await journey.outcome()
    assert len(world.asked(SendMessage)) == 1


async def said(journey: JourneyUnderTest, step: str) -> str:
    """Why the step was left; what is longer than the claim is cut."""
    because = next(item.because for item in journey.world.decided(journey.enrollment_id) if item.step == step)
    return because.partition(" 1 minute")[0].partition(" 2 minutes")[0]


async def test_pausing_twice_is_pausing_once(enroll: Enroll) -> None:
    journey = await enroll(*STEPS)
    await journey.at("wait-1")
    assert await journey.pause() == await journey.pause()


async def test_a_repeated_request_is_answered_but_not_carried_out_again(enroll: Enroll) -> None:
    journey = await enroll(*STEPS)
    await journey.at("wait-1")
    first = await starter.pause(journey.client, journey.workflow_id, BY_OPS, request_id="request-1")
    await journey.resume()
    again = await starter.pause(journey.client, journey.workflow_id, BY_OPS, request_id="request-1")
    assert again == first
    assert (await journey.at("wait-1")).state is JourneyState.WAITING


async def test_what_is_not_paused_cannot_be_resumed(enroll: Enroll) -> None:
    journey = await enroll(*STEPS)
    await journey.at("wait-1")
    with pytest.raises(Conflict, match="not paused"):
        await journey.resume()


async def test_what_has_ended_cannot_be_paused(enroll: Enroll) -> None:
    journey = await enroll({"exit": "done"})
    await journey.outcome()
    with pytest.raises(NotFound, match="has ended"):
        await journey.pause()


async def test_a_command_for_an_earlier_enrollment_is_rejected(enroll: Enroll) -> None:
    journey = await enroll(*STEPS)
    await journey.at("wait-1")
    meant_for_another = Command(by="ops-1", enrollment_id=journey.run.contact_id)
    with pytest.raises(Conflict, match="entered the journey again"):
        await starter.pause(journey.client, journey.workflow_id, meant_for_another)


async def test_an_event_that_arrives_during_a_pause_counts_when_resumed(enroll: Enroll) -> None:
    journey = await enroll({"id": "asked", "wait_for": {"event": "page.viewed", "up_to": "2d"}})
    await journey.at("asked")
    await journey.pause()
    await journey.deliver("step:asked")
    assert (await journey.at("asked", "paused")).met.keys() == {"step:asked"}
    await journey.resume()
    await journey.outcome()
    assert journey.decided() == [("asked", "passed", "arrived")]


async def test_a_goal_ends_a_paused_enrollment(enroll: Enroll) -> None:
    journey = await enroll(*STEPS, goal={"type": "sell", "event": "review.created"})
    await journey.at("wait-1")
    await journey.pause()
    await journey.deliver("goal")
    assert (await journey.outcome()).state is JourneyState.GOAL_MET


async def test_a_paused_enrollment_sends_nothing_though_its_provider_is_back(enroll: Enroll, world: World) -> None:
    world.sending.always(outage())
    journey = await enroll(STEPS[1])
    await eventually(lambda: an_attempt(world))
    await journey.pause()
    await journey.at("voucher", "paused")
    attempts = len(world.asked(SendMessage))
    world.sending.always(SENT)
    assert not (await journey.handle.describe()).raw_description.pending_activities
    assert len(world.asked(SendMessage)) == attempts


async def test_the_step_is_taken_up_again_under_the_same_key(enroll: Enroll, world: World) -> None:
    world.sending.always(outage())
    journey = await enroll(STEPS[1])
    await eventually(lambda: an_attempt(world))
    await journey.pause()
    await journey.at("voucher", "paused")
    world.sending.always(SENT)
    await journey.resume()
    await journey.outcome()
    assert {(request.step, request.iteration) for request in world.asked(SendMessage)} == {("voucher", 1)}


async def an_attempt(world: World) -> bool:
    return bool(world.asked(SendMessage))


async def timers_running(journey: JourneyUnderTest) -> bool:
    """Whether the history has a timer that neither fired nor was cancelled."""
    started, ended = set(), set()
    for event in (await journey.history()).events:
        if event.HasField("timer_started_event_attributes"):
            started.add(event.timer_started_event_attributes.timer_id)
        if event.HasField("timer_canceled_event_attributes"):
            ended.add(event.timer_canceled_event_attributes.timer_id)
        if event.HasField("timer_fired_event_attributes"):
            ended.add(event.timer_fired_event_attributes.timer_id)
    return bool(started - ended)
