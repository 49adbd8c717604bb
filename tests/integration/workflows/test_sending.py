"""Sends: refused, deferred and unknown are results; outages are waited out; what runs is not torn off."""

from datetime import timedelta

from journeys.outcomes import JourneyState, RefusalReason, SendStatus
from journeys.vouchers import MessageVoucher
from tests.support.ports import SlowProvider, World, outage
from tests.support.temporal import Enroll, JourneyUnderTest, eventually
from workflows.ports import SendMessage, SendReceipt

VOUCHER = {"id": "voucher", "send": {"template": "voucher"}}
LIST = {"id": "listed", "list": {"add": "buyers"}}
GOAL = {"type": "sell", "event": "review.created"}


async def test_a_refusal_is_recorded_with_its_reason_and_the_journey_goes_on(enroll: Enroll, world: World) -> None:
    refused = SendReceipt(status=SendStatus.REFUSED, refusal=RefusalReason.NO_CONSENT, because="withdrawn on 3 May")
    world.sending.then(refused)
    journey = await enroll(VOUCHER, LIST)
    assert (await journey.outcome()).state is JourneyState.COMPLETED
    decision = world.decided(journey.enrollment_id)[0]
    assert (decision.verdict, decision.result) == ("refused", "refused")
    assert decision.because == "no_consent: withdrawn on 3 May"
    assert decision.next_step == "listed"


async def test_a_pool_that_is_sold_out_is_a_result_of_its_own(enroll: Enroll, world: World) -> None:
    refused = SendReceipt(status=SendStatus.REFUSED, refusal=RefusalReason.SOLD_OUT, because="none left")
    world.sending.then(refused)
    voucher = {"pool": "welcome", "valid": "30d"}
    journey = await enroll({"id": "gift", "send": {"template": "gift", "voucher": voucher}}, LIST)
    await journey.outcome()
    assert journey.decided() == [("gift", "refused", "sold_out"), ("listed", "passed", "changed")]
    asked = world.asked(SendMessage)[0].voucher
    assert asked == MessageVoucher(pool="welcome", valid=timedelta(days=30))


async def test_an_unknown_fate_is_a_result_and_the_journey_goes_on(enroll: Enroll, world: World) -> None:
    world.sending.then(SendReceipt(status=SendStatus.UNKNOWN, because="the provider's answer was lost"))
    journey = await enroll(VOUCHER, LIST)
    await journey.outcome()
    assert journey.decided() == [("voucher", "passed", "unknown"), ("listed", "passed", "changed")]


async def deferred_two_days(request: SendMessage) -> SendReceipt:
    until = request.now + timedelta(days=2)
    return SendReceipt(status=SendStatus.DEFERRED, until=until, because="weekend", zone="Europe/Berlin")


async def test_a_deferred_send_waits_visibly_and_is_asked_again(enroll: Enroll, world: World) -> None:
    world.sending.then(deferred_two_days)
    journey = await enroll(VOUCHER)
    waiting = await journey.at("voucher")
    first = world.asked(SendMessage)[0]
    assert waiting.until == first.now + timedelta(days=2)
    (timer,) = await summaries(journey)
    assert timer.startswith("wait for the send window, until ")
    assert timer.endswith("Europe/Berlin")
    await journey.advance(timedelta(days=2, minutes=1))
    await journey.outcome()
    second = world.asked(SendMessage)[1]
    assert second.now >= waiting.until
    assert (second.step, second.iteration) == (first.step, first.iteration)
    assert journey.decided() == [("voucher", "passed", "sent")]


async def test_a_goal_ends_the_wait_for_the_window(enroll: Enroll, world: World) -> None:
    world.sending.then(deferred_two_days)
    journey = await enroll(VOUCHER, goal=GOAL)
    await journey.at("voucher")
    await journey.deliver("goal")
    assert (await journey.outcome()).state is JourneyState.GOAL_MET
    assert len(world.asked(SendMessage)) == 1


async def test_a_gate_that_names_the_past_is_not_asked_again_at_once(enroll: Enroll, world: World) -> None:
    async def deferred_to_the_past(request: SendMessage) -> SendReceipt:
        return SendReceipt(status=SendStatus.DEFERRED, until=request.now - timedelta(days=1))

    world.sending.then(deferred_to_the_past)
    journey = await enroll(VOUCHER)
    waiting = await journey.at("voucher")
    assert waiting.until is not None
    assert waiting.until - world.asked(SendMessage)[0].now >= timedelta(minutes=1)


async def test_a_provider_that_is_down_is_asked_until_it_is_back(enroll: Enroll, world: World) -> None:
    world.sending.then(outage(), outage())
    journey = await enroll(VOUCHER)
    await journey.advance(timedelta(minutes=1))
    assert (await journey.outcome()).state is JourneyState.COMPLETED
    assert len(world.asked(SendMessage)) == 3


async def test_a_send_that_is_running_is_awaited_though_the_goal_is_met(enroll: Enroll, world: World) -> None:
    provider = SlowProvider()
    world.sending.then(provider)
    journey = await enroll(VOUCHER, LIST, goal=GOAL)
    await provider.has_it()
    await journey.deliver("goal")
    await journey.until(lambda answer: "goal" in answer.met)
    assert (await journey.explain()).step == "voucher"
    provider.accept()
    assert (await journey.outcome()).state is JourneyState.GOAL_MET
    assert journey.decided() == [("voucher", "passed", "sent"), ("listed", "exited", "")]


async def test_a_send_that_only_retries_is_abandoned_when_the_goal_is_met(enroll: Enroll, world: World) -> None:
    world.sending.always(outage())
    journey = await enroll(VOUCHER, goal=GOAL)

    async def an_attempt_failed() -> bool:
        return bool(world.asked(SendMessage))

    await eventually(an_attempt_failed)
    await journey.deliver("goal")
    assert (await journey.outcome()).state is JourneyState.GOAL_MET
    assert journey.decided() == [("voucher", "exited", "")]


async def test_a_send_that_only_retries_can_be_skipped(enroll: Enroll, world: World) -> None:
    world.sending.always(outage())
    journey = await enroll(VOUCHER, LIST)

    async def an_attempt_failed() -> bool:
        return bool(world.asked(SendMessage))

    await eventually(an_attempt_failed)
    await journey.skip()
    await journey.outcome()
    assert journey.decided() == [("voucher", "skipped", ""), ("listed", "passed", "changed")]
    assert world.decided(journey.enrollment_id)[0].because == "skipped by ops-1: looked into it"


async def test_a_skip_of_a_send_that_is_running_does_not_skip_the_step_behind_it(enroll: Enroll, world: World) -> None:
    provider = SlowProvider()
    world.sending.then(provider)
    journey = await enroll(VOUCHER, LIST)
    await provider.has_it()
    await journey.skip()
    provider.accept()
    assert (await journey.outcome()).state is JourneyState.COMPLETED
    assert journey.decided() == [("voucher", "passed", "sent"), ("listed", "passed", "changed")]
    assert world.decided(journey.enrollment_id)[0].because == "too late to be skipped by ops-1: looked into it"


async def summaries(journey: JourneyUnderTest) -> list[str]:
    """The summaries of the timers in the history."""
    converter = journey.client.data_converter.payload_converter
    return [
        converter.from_payload(event.user_metadata.summary, str)
        for event in (await journey.history()).events
        if event.HasField("timer_started_event_attributes")
    ]


async def test_what_the_journey_says_of_cap_window_and_repetition_goes_along(enroll: Enroll, world: World) -> None:
    steps = [
        {"send": {"template": "a"}},
        {"send": {"template": "b", "cap": "defer", "closed": "defer", "repeat": "never"}},
        {"send": {"template": "c", "repeat": "30d"}},
    ]
    await (await enroll(*steps, priority="high", cap="skip", closed="skip")).outcome()
    asked = [(request.priority, request.cap, request.closed, request.repeat) for request in world.asked(SendMessage)]
    assert asked == [
        ("high", "skip", "skip", None),
        ("high", "defer", "defer", "never"),
        ("high", "skip", "skip", timedelta(days=30)),
    ]


async def test_the_zone_that_the_journey_names_goes_along_and_else_nothing(enroll: Enroll, world: World) -> None:
    steps = ({"send": {"template": "a"}},)
    await (await enroll(*steps, time_zone="Europe/Vienna")).outcome()
    await (await enroll(*steps)).outcome()
    named, plain = world.asked(SendMessage)
    assert named.time_zone == "Europe/Vienna"
    assert "time_zone" not in plain.model_dump(mode="json")


async def test_a_message_at_the_cap_says_what_it_waits_for_and_why(enroll: Enroll, world: World) -> None:
    because = "The contact has had 3 marketing messages within 7 days: no more are allowed."

    async def at_the_cap(request: SendMessage) -> SendReceipt:
        until = request.now + timedelta(days=2)
        return SendReceipt(status=SendStatus.DEFERRED, until=until, because=because, waits_for="its turn")

    world.sending.then(at_the_cap)
    journey = await enroll(VOUCHER)
    assert (await journey.at("voucher")).held_back == because
    (timer,) = await summaries(journey)
    assert timer.startswith("wait for its turn, until ")
    await journey.pause()
    await journey.resume()
    assert (await journey.at("voucher")).held_back == because
    await journey.advance(timedelta(days=2, minutes=1))
    await journey.outcome()
    assert (await journey.explain()).held_back == ""


async def test_a_message_comes_back_to_its_turn_though_that_be_only_seconds_away(enroll: Enroll, world: World) -> None:
    turns: list[timedelta] = []

    async def not_yet(request: SendMessage) -> SendReceipt:
        until = request.now + timedelta(seconds=7)
        return SendReceipt(status=SendStatus.DEFERRED, until=until, waits_for="its turn", exact=True)

    async def its_turn(request: SendMessage) -> SendReceipt:
        turns.append(request.now - world.asked(SendMessage)[0].now)
        return SendReceipt(status=SendStatus.SENT)

    world.sending.then(not_yet, its_turn)
    journey = await enroll(VOUCHER)
    await journey.outcome()
    (timer,) = await summaries(journey)
    assert timer.startswith("wait for its turn, until ")
    assert timedelta(seconds=7) <= turns[0] < timedelta(seconds=30)
