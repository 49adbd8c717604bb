"""The passages that are kept as recorded histories: one per step kind, and one per way a passage can be disturbed."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from journeys.conditions.first import FirstHolding
from journeys.outcomes import RefusalReason, SendStatus
from journeys.resuming import Resuming
from tests.replay.flow import FLOW
from tests.replay.overtaking import OVERTAKING
from tests.replay.people import PEOPLE
from tests.replay.timing import TIMING
from tests.support.ports import NO, NONE_HOLDS, World, deferred_two_days, fails_for_good, outage
from tests.support.temporal import Enroll, JourneyUnderTest, a_plan, eventually
from workflows import starter
from workflows.messages import compact_plan
from workflows.ports import JudgeConditions, SendMessage, SendReceipt
from workflows.state import Migration

DAY = timedelta(days=1)
WAIT = {"wait": "1d"}
VOUCHER = {"id": "voucher", "send": {"template": "voucher"}}
ASKED: dict[str, Any] = {
    "id": "asked",
    "wait_for": {"event": "page.viewed", "up_to": "2d"},
    "then": [{"id": "thanks", "send": {"template": "thanks"}}],
}
REVIEWED: dict[str, Any] = {
    "id": "reviewed",
    "if": {"none": {"event": "review.created"}},
    "then": [{"id": "request", "send": {"template": "review-request"}}],
    "else": [{"id": "praise", "send": {"template": "praise"}}],
}
KIND: dict[str, Any] = {
    "id": "kind",
    "branch": [{"name": "vip", "if": {"in_list": "vip"}}, {"if": {"event": "order.placed", "since": "ever"}}],
    "else": [],
}
GOAL = {"type": "sell", "event": "review.created"}

Scenario = Callable[[Enroll, World], Awaitable[JourneyUnderTest]]


async def wait(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll(WAIT)
    await journey.at("wait-1")
    await journey.advance(DAY)
    return journey


async def wait_for_arrived(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll(ASKED)
    await journey.at("asked")
    await journey.deliver("step:asked")
    return journey


async def wait_for_timed_out(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll(ASKED)
    await journey.at("asked")
    await journey.advance(2 * DAY)
    return journey


async def if_yes(enroll: Enroll, _world: World) -> JourneyUnderTest:
    return await enroll(REVIEWED)


async def if_no(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.judging.then(NO)
    return await enroll(REVIEWED)


async def send(enroll: Enroll, _world: World) -> JourneyUnderTest:
    return await enroll(VOUCHER)


async def send_refused(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.sending.then(SendReceipt(status=SendStatus.REFUSED, refusal=RefusalReason.NO_CONSENT, because="withdrawn"))
    return await enroll(VOUCHER, {"id": "listed", "list": {"add": "refused"}})


async def send_deferred(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.sending.then(deferred_two_days)
    journey = await enroll(VOUCHER, window={"days": "mon-fri", "from": "08:00", "to": "20:00"})
    await journey.at("voucher")
    await journey.advance(2 * DAY)
    return journey


async def set_attributes(enroll: Enroll, _world: World) -> JourneyUnderTest:
    return await enroll({"set": {"vip": True, "product": "$entry.product_id", "note": None}})


async def change_list(enroll: Enroll, _world: World) -> JourneyUnderTest:
    return await enroll({"list": {"add": "buyers"}}, {"list": {"remove": "prospects"}})


async def recompute_score(enroll: Enroll, _world: World) -> JourneyUnderTest:
    return await enroll({"recompute_score": "lead"})


async def leave(enroll: Enroll, _world: World) -> JourneyUnderTest:
    return await enroll({"id": "left", "exit": "not a customer any more"})


async def goal_during_a_wait(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll({"wait": "30d"}, goal=GOAL)
    await journey.at("wait-1")
    await journey.advance(DAY)
    await journey.deliver("goal")
    return journey


async def goal_during_an_outage(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.sending.always(outage())
    journey = await enroll(VOUCHER, goal=GOAL)

    async def an_attempt_failed() -> bool:
        return bool(world.asked(SendMessage))

    await eventually(an_attempt_failed)
    await journey.deliver("goal")
    return journey


async def exit_requested(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll(WAIT)
    await journey.at("wait-1")
    await journey.request_exit("consent withdrawn")
    return journey


async def cancelled(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll(WAIT)
    await journey.at("wait-1")
    await journey.handle.cancel()
    return journey


async def parked_and_retried(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.sending.then(fails_for_good())
    journey = await enroll(VOUCHER)
    await journey.at("voucher", "needs_attention")
    await journey.retry()
    return journey


async def parked_and_skipped(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.judging.then(fails_for_good("'born' is a text and cannot be at least 18."))
    journey = await enroll(REVIEWED)
    await journey.at("reviewed", "needs_attention")
    await journey.skip()
    return journey


async def paused_and_resumed(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll(WAIT, VOUCHER)
    await journey.at("wait-1")
    await journey.pause()
    await journey.at("wait-1", "paused")
    await journey.resume()
    await journey.at("wait-1")
    await journey.advance(DAY)
    return journey


async def paused_and_shifted(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll(WAIT, VOUCHER)
    await journey.at("wait-1")
    await journey.pause()
    await journey.at("wait-1", "paused")
    await journey.advance(3 * DAY)
    await journey.resume(Resuming.SHIFT)
    await journey.at("wait-1")
    await journey.advance(DAY)
    return journey


async def paused_and_dropped(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll(WAIT, VOUCHER, WAIT, {"id": "still", "send": {"template": "voucher"}})
    await journey.at("wait-1")
    await journey.pause()
    await journey.at("wait-1", "paused")
    await journey.advance(3 * DAY)
    await journey.resume(Resuming.DROP_IF_LATE)
    await journey.at("wait-2")
    await journey.advance(DAY)
    return journey


async def bookkeeping_outage(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.recording.then(outage(), outage(), outage(), fails_for_good("refused"))
    journey = await enroll(WAIT)
    await journey.advance(2 * DAY)
    return journey


async def rescheduled(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll({"wait": "30d"}, VOUCHER)
    before = (await journey.at("wait-1")).until
    assert before is not None
    await journey.reschedule(before - 29 * DAY)
    await journey.at("wait-1")
    await journey.advance(DAY)
    return journey


async def expired(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll(WAIT, VOUCHER | {"expires_after": "6h"})
    await journey.at("wait-1")
    await journey.pause()
    await journey.at("wait-1", "paused")
    await journey.advance(2 * DAY)
    await journey.resume()
    return journey


TOMORROW = {
    "id": "tomorrow",
    "wait": {"before": "1d", "date": "$entry.starts_at", "moved_by": {"event": "webinar.moved"}},
    "then": [VOUCHER],
}


def in_days(days: int) -> str:
    """A date so far ahead, as a producer writes it."""
    return (datetime.now(UTC) + days * DAY).isoformat()


async def wait_until_due(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll({"wait": "1 day at 09:00"}, VOUCHER)
    await journey.at("wait-1")
    await journey.advance(2 * DAY)
    return journey


async def wait_until_moved(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.entry = {"starts_at": in_days(10)}
    world.moves = {"news": {"starts_at": in_days(3)}}
    journey = await enroll(TOMORROW)
    before = (await journey.at("tomorrow")).until
    await journey.deliver("moved:tomorrow", event_id="news")
    await journey.until(lambda answer: answer.until != before)
    await journey.advance(2 * DAY)
    return journey


async def wait_until_late(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.entry = {"starts_at": in_days(0)}
    return await enroll({**TOMORROW, "else": [{"id": "listed", "list": {"add": "latecomers"}}]})


async def wait_until_without_date(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.moves = {"news": {"starts_at": in_days(3)}}
    journey = await enroll(TOMORROW)
    await journey.at("tomorrow", "needs_attention")
    await journey.deliver("moved:tomorrow", event_id="news")
    await journey.at("tomorrow")
    await journey.advance(2 * DAY)
    return journey


async def branch(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.choosing.then(FirstHolding(index=1, because="1 order.placed"), NONE_HOLDS)
    return await enroll(KIND, {**KIND, "id": "again", "branch": KIND["branch"][:1]})


MEMBER: dict[str, Any] = {
    "id": "member",
    "wait_for": {"condition": {"in_list": "vip"}, "up_to": "7d"},
    "then": [VOUCHER],
}


async def wait_for_condition(enroll: Enroll, world: World) -> JourneyUnderTest:
    async def again_in_two_days(request: JudgeConditions) -> FirstHolding:
        return FirstHolding(index=None, because="not yet", again_at=request.now + 2 * DAY)

    world.choosing.then(NONE_HOLDS, again_in_two_days, FirstHolding(index=0, because="on the list 'vip'"))
    journey = await enroll(MEMBER)
    await journey.at("member")
    await journey.deliver("look:member:1")

    async def looked_twice() -> bool:
        return len(world.asked(JudgeConditions)) == 2

    await eventually(looked_twice)
    await journey.advance(2 * DAY)
    return journey


REACTION: dict[str, Any] = {
    "id": "reaction",
    "wait_for": {
        "first_of": [
            {"name": "bought", "event": "order.placed"},
            {"name": "vip", "condition": {"in_list": "vip"}},
            {"event": "page.viewed", "since": "step"},
        ],
        "up_to": "3d",
    },
    "else": [VOUCHER],
}


async def wait_for_first(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll(REACTION)
    await journey.at("reaction")
    await journey.deliver("step:reaction:3")
    return journey


async def wait_for_best(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll({**REACTION, "wait_for": {**REACTION["wait_for"], "ranked": True}})
    await journey.at("reaction")
    await journey.deliver("step:reaction:3")
    await journey.advance(3 * DAY)
    return journey


async def migrated(enroll: Enroll, _world: World) -> JourneyUnderTest:
    """In two runs: the wait is shortened and the voucher replaced while the contact waits."""
    journey = await enroll({"id": "pause", "wait": "30d"}, VOUCHER, goal=GOAL)
    await journey.at("pause")
    await journey.advance(2 * DAY)
    steps: list[dict[str, Any]] = [{"id": "pause", "wait": "1d"}, {"id": "coupon", "send": {"template": "coupon"}}]
    plan = a_plan(steps, goal=GOAL).model_copy(update={"version": 4})
    migration = Migration(enrollment_id=journey.enrollment_id, version=4, plan=compact_plan(plan))
    assert (await starter.migrate(journey.client, journey.workflow_id, migration))[0] == "migrated"
    return journey


async def repeat(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.choosing.then(NONE_HOLDS, NONE_HOLDS, FirstHolding(index=0, because="1 invoice.paid"))
    until = {"event": "invoice.paid", "since": "step"}
    journey = await enroll({"id": "loop", "repeat": {"times": 5, "until": until, "steps": [VOUCHER, WAIT]}})
    for _ in range(2):
        await journey.at("wait-1")
        await journey.advance(DAY)
    return journey


GIFT: dict[str, Any] = {
    "id": "gift",
    "send": {
        "template": "gift",
        "voucher": {"pool": "welcome", "valid": "30d"},
        "latest": {"cart": {"event": "cart.updated", "where": {"cart_id": "$entry.cart_id"}}},
    },
}


async def send_voucher(enroll: Enroll, _world: World) -> JourneyUnderTest:
    journey = await enroll(GIFT, WAIT, {"id": "remind", "send": {"template": "gift", "voucher": {"of": "gift"}}})
    await journey.at("wait-1")
    await journey.advance(DAY)
    return journey


async def send_sold_out(enroll: Enroll, world: World) -> JourneyUnderTest:
    refused = SendReceipt(status=SendStatus.REFUSED, refusal=RefusalReason.SOLD_OUT, because="no voucher left")
    world.sending.then(refused)
    return await enroll(GIFT, {"if": {"result": {"step": "gift", "is": "sold_out"}}, "then": [{"exit": "too late"}]})


SCENARIOS: Mapping[str, Scenario] = {
    scenario.__name__.replace("_", "-"): scenario
    for scenario in (
        wait,
        wait_for_arrived,
        wait_for_timed_out,
        if_yes,
        if_no,
        send,
        send_refused,
        send_deferred,
        send_voucher,
        send_sold_out,
        set_attributes,
        change_list,
        recompute_score,
        leave,
        goal_during_a_wait,
        goal_during_an_outage,
        exit_requested,
        cancelled,
        parked_and_retried,
        parked_and_skipped,
        paused_and_resumed,
        bookkeeping_outage,
        wait_until_due,
        wait_until_moved,
        wait_until_late,
        wait_until_without_date,
        rescheduled,
        expired,
        branch,
        wait_for_condition,
        wait_for_first,
        wait_for_best,
        migrated,
        repeat,
        *FLOW,
        *PEOPLE,
        paused_and_shifted,
        paused_and_dropped,
        *TIMING,
        *OVERTAKING,
    )
}
BEFORE = "before"
TWO_RUNS = frozenset({"migrated"})
"""Scenarios whose first run is kept, too, under the name with this word behind it."""


async def continued_as_new(enroll: Enroll, _world: World) -> JourneyUnderTest:
    """On a server that suggests it early; its first run is kept too."""
    journey = await enroll(WAIT, ASKED, goal=GOAL)
    await journey.at("wait-1")
    first = (await journey.handle.describe()).run_id
    for number in range(1, 30):
        await journey.deliver("step:asked", event_id=f"view-{number}")
        await journey.until(lambda _: True)
        if (await journey.handle.describe()).run_id != first:
            break
    await journey.deliver("goal")
    return journey
