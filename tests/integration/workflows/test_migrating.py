"""A running enrollment goes over to another version: at once, with what it knows, or is told why not."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType

from journeys.migration import Timers
from journeys.model import Journey
from journeys.plan import Plan, compile_plan
from tests.support.ports import World, fails_for_good
from tests.support.temporal import Enroll, JourneyUnderTest, a_plan
from workflows import starter
from workflows.messages import Delivery, compact_plan
from workflows.names import JOURNEY_STEP, JOURNEY_VERSION
from workflows.ports import SendMessage
from workflows.starter import MigrateResult
from workflows.state import Migration

DAY = timedelta(days=1)
VOUCHER = {"id": "voucher", "send": {"template": "voucher"}}
ASKED: dict[str, Any] = {"id": "asked", "wait_for": {"event": "page.viewed", "up_to": "2d"}}


def pause(length: str) -> dict[str, Any]:
    return {"id": "pause", "wait": length}


def version(number: int, *steps: dict[str, Any], **parts: Any) -> Plan:
    document = {"key": "voucher-and-review", "name": "Voucher", "owner": "crm", "entry": {"event": "order.placed"}}
    return compile_plan(Journey.model_validate(document | {"steps": list(steps)} | parts), number)


async def migrate(journey: JourneyUnderTest, plan: Plan, **more: Any) -> tuple[MigrateResult, str]:
    migration = Migration(enrollment_id=journey.enrollment_id, version=plan.version, plan=compact_plan(plan), **more)
    return await starter.migrate(journey.client, journey.workflow_id, migration)


async def test_a_shortened_wait_ends_at_once_for_those_who_waited_long_enough(enroll: Enroll, world: World) -> None:
    journey = await enroll(pause("30d"), VOUCHER)
    await journey.at("pause")
    await journey.advance(2 * DAY)

    assert await migrate(journey, version(4, pause("1d"), VOUCHER)) == (MigrateResult.MIGRATED, "")

    assert (await journey.outcome()).state == "completed"
    assert journey.decided() == [("pause", "migrated", ""), ("pause", "passed", ""), ("voucher", "passed", "sent")]
    assert [request.iteration for request in world.asked(SendMessage)] == [1]


@pytest.mark.parametrize(("timers", "days"), [(Timers.FOLLOW, 5), (Timers.KEEP, 2)])
async def test_a_lengthened_wait_lasts_until_its_new_end_unless_timers_are_kept(
    enroll: Enroll, timers: Timers, days: int
) -> None:
    journey = await enroll(pause("2d"), VOUCHER)
    begun = (await journey.at("pause")).since

    await migrate(journey, version(4, pause("5d"), VOUCHER), timers=timers)

    explanation = await journey.until(lambda answer: answer.until == begun + days * DAY)
    assert (explanation.step, explanation.since) == ("pause", begun)


async def test_the_new_run_says_its_version_everywhere(enroll: Enroll) -> None:
    journey = await enroll(pause("2d"), VOUCHER)
    await journey.at("pause")

    await migrate(journey, version(4, {"id": "rest", "wait": "5d"}, VOUCHER), mapping={"pause": "rest"})

    await journey.at("rest")
    known = (await journey.handle.describe()).typed_search_attributes
    assert (known.get(JOURNEY_VERSION), known.get(JOURNEY_STEP)) == (4, "rest")
    assert (await journey.details()).startswith("Voucher · v4\n")


async def test_it_costs_one_run_and_the_search_attributes_ride_along(enroll: Enroll) -> None:
    journey = await enroll(pause("2d"), VOUCHER)
    await journey.at("pause")

    await migrate(journey, version(4, pause("2d"), VOUCHER))

    await journey.until(lambda answer: answer.step == "pause")
    await journey.at("pause")
    kinds = [event.event_type for event in (await journey.history()).events]
    assert EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES not in kinds


async def test_what_was_met_before_counts_in_the_new_version(enroll: Enroll) -> None:
    journey = await enroll(pause("2d"), ASKED)
    await journey.at("pause")
    await journey.deliver("step:asked", event_id="view-1")

    await migrate(journey, version(4, {"id": "looked", "wait_for": ASKED["wait_for"]}), mapping={"pause": "looked"})

    await journey.outcome()
    assert journey.decided() == [("pause", "migrated", ""), ("looked", "passed", "arrived")]


async def test_a_step_without_a_target_is_refused_with_a_sentence_and_nothing_changes(enroll: Enroll) -> None:
    journey = await enroll(pause("2d"), VOUCHER)
    before = await journey.at("pause")

    result, because = await migrate(journey, version(4, VOUCHER))

    assert result is MigrateResult.NO_TARGET
    assert because.startswith("The enrollment stands at step 'pause', which version 4 does not have")
    assert await journey.explain() == before


async def test_migrating_twice_is_migrating_once(enroll: Enroll) -> None:
    journey = await enroll(pause("2d"), VOUCHER)
    await journey.at("pause")
    new = version(4, pause("3d"), VOUCHER)

    assert [(await migrate(journey, new))[0] for _ in range(2)] == [MigrateResult.MIGRATED] * 2

    await journey.at("pause")
    assert journey.decided() == [("pause", "migrated", "")]


async def test_one_that_has_ended_is_gone(enroll: Enroll) -> None:
    journey = await enroll(VOUCHER)
    await journey.outcome()
    assert (await migrate(journey, version(4, VOUCHER)))[0] is MigrateResult.GONE


async def test_a_paused_one_is_migrated_and_stays_paused(enroll: Enroll) -> None:
    journey = await enroll(pause("2d"), VOUCHER)
    await journey.at("pause")
    await journey.pause()
    await journey.at("pause", "paused")

    await migrate(journey, version(4, pause("9d"), VOUCHER))

    await journey.until(lambda answer: answer.doing == "wait 9 days")
    assert (await journey.at("pause", "paused")).state == "paused"
    await journey.resume()
    await journey.at("pause")


async def test_what_was_parked_goes_on_where_the_new_version_mends_it(enroll: Enroll, world: World) -> None:
    world.sending.then(fails_for_good())
    journey = await enroll(VOUCHER)
    await journey.at("voucher", "needs_attention")

    await migrate(journey, version(4, {"id": "voucher", "send": {"template": "coupon"}}))

    assert (await journey.outcome()).state == "completed"
    assert [request.template for request in world.asked(SendMessage)] == ["voucher", "coupon"]


async def test_events_matched_with_either_version_count_once_on_the_way(enroll: Enroll) -> None:
    journey = await enroll(pause("2d"), ASKED, exit=[{"event": "a"}])
    await journey.at("pause")
    new = version(4, pause("9d"), ASKED, exit=[{"event": "b"}, {"event": "a"}])
    await migrate(journey, new)
    await journey.until(lambda answer: answer.doing == "wait 9 days")

    await starter.deliver(journey.client, journey.workflow_id, await _delivery(journey, ["exit:1"], 3))
    await journey.at("pause")
    await starter.deliver(journey.client, journey.workflow_id, await _delivery(journey, ["exit:2"], 4))

    outcome = await journey.outcome()
    assert (outcome.state, outcome.reason) == ("exited", "exit criterion met: a")


async def _delivery(journey: JourneyUnderTest, criteria: list[str], number: int) -> Delivery:
    return Delivery(
        enrollment_id=journey.enrollment_id,
        event_id="the-event",
        at=await journey.now(),
        criteria=criteria,
        version=number,
    )


def test_the_tests_start_in_an_older_version() -> None:
    assert a_plan([VOUCHER]).version == 3


async def test_a_renamed_repeat_sends_no_more_mails_than_it_says(enroll: Enroll, world: World) -> None:
    def repeated(name: str) -> dict[str, Any]:
        return {"id": name, "repeat": {"times": 3, "steps": [VOUCHER, pause("1d")]}}

    journey = await enroll(repeated("loop"))
    await journey.at("pause")
    await journey.advance(DAY)
    await journey.until(lambda answer: answer.step == "pause" and len(world.asked(SendMessage)) == 2)

    await migrate(journey, version(4, repeated("cycle")))

    await journey.until(lambda answer: answer.step == "pause")
    while await journey.advance(DAY):
        pass
    assert (await journey.outcome()).state == "completed"
    assert [request.iteration for request in world.asked(SendMessage)] == [1, 2, 3]
