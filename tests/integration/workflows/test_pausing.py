"""Pause and resume: a paused enrollment stands still at its step, and nothing leaves it."""

from datetime import timedelta

import pytest

from journeys.outcomes import JourneyState
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
