"""Steps that are of use for a time only: what is taken up later than that is left out, with the reason."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from journeys.outcomes import RefusalReason, SendStatus
from journeys.resuming import Resuming
from tests.support.ports import SENT, World, deferred_two_days, fails_for_good, outage
from tests.support.temporal import Enroll, JourneyUnderTest, eventually
from workflows.ports import SendMessage, SendReceipt

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
VOUCHER: dict[str, Any] = {"id": "voucher", "send": {"template": "voucher"}, "expires_after": "6h"}


@pytest.mark.parametrize(("hours", "sent"), [(5, True), (7, False)])
async def test_a_pause_over_a_due_timer_leaves_out_what_is_of_no_use_any_more(
    enroll: Enroll, world: World, hours: int, *, sent: bool
) -> None:
    journey = await enroll({"wait": "1d"}, VOUCHER)
    await journey.at("wait-1")
    await journey.pause()
    await journey.at("wait-1", "paused")
    await journey.advance(DAY + hours * HOUR)
    await journey.resume()
    await journey.outcome()
    assert bool(world.asked(SendMessage)) == sent
    verdict = ("voucher", "passed", "sent") if sent else ("voucher", "skipped", "")
    assert journey.decided() == [("wait-1", "passed", ""), verdict]


async def test_what_is_left_out_says_by_how_much_it_was_late(enroll: Enroll, world: World) -> None:
    journey = await enroll({"wait": "1d"}, VOUCHER)
    await journey.at("wait-1")
    await journey.pause()
    await journey.at("wait-1", "paused")
    await journey.advance(2 * DAY)
    await journey.resume()
    await journey.outcome()
    because = world.decided(journey.enrollment_id)[1].because
    assert because.startswith("too late by 1 day ")
    assert because.endswith(": it is of use for 6 hours")


async def test_a_step_of_use_for_ever_is_done_however_late(enroll: Enroll, world: World) -> None:
    journey = await enroll({"wait": "1d"}, {"send": {"template": "voucher"}})
    await journey.at("wait-1")
    await journey.pause()
    await journey.at("wait-1", "paused")
    await journey.advance(30 * DAY)
    await journey.resume()
    await journey.outcome()
    assert len(world.asked(SendMessage)) == 1


async def test_a_wait_of_exact_time_makes_up_for_what_was_late_before_it(enroll: Enroll) -> None:
    journey = await enroll({"wait": "1d"}, {"wait": "1d"}, VOUCHER)
    await journey.at("wait-1")
    await journey.pause()
    await journey.at("wait-1", "paused")
    await journey.advance(3 * DAY)
    await journey.resume()
    await journey.at("wait-2")
    await journey.advance(DAY)
    await journey.outcome()
    assert journey.decided()[-1] == ("voucher", "passed", "sent")


async def test_a_pause_during_a_wait_does_not_leave_out_the_wait(enroll: Enroll) -> None:
    journey = await enroll({"id": "asked", "wait_for": {"event": "page.viewed", "up_to": "9d"}, "expires_after": "6h"})
    await journey.at("asked")
    await journey.pause()
    await journey.at("asked", "paused")
    await journey.advance(2 * DAY)
    await journey.resume()
    await journey.at("asked")
    await journey.deliver("step:asked")
    await journey.outcome()
    assert journey.decided() == [("asked", "passed", "arrived")]


async def test_what_was_parked_for_too_long_is_left_out_when_retried(enroll: Enroll, world: World) -> None:
    world.sending.then(fails_for_good())
    journey = await enroll(VOUCHER)
    await journey.at("voucher", "needs_attention")
    await journey.advance(7 * HOUR)
    await journey.retry()
    await journey.outcome()
    assert journey.decided() == [("voucher", "skipped", "")]
    assert len(world.asked(SendMessage)) == 1


async def test_an_entry_reported_late_leaves_out_the_greeting(enroll: Enroll, world: World) -> None:
    journey = await enroll(VOUCHER, entered_at=datetime.now(UTC) - DAY)
    await journey.outcome()
    assert journey.decided() == [("voucher", "skipped", "")]
    assert not world.asked(SendMessage)


async def test_who_registers_when_it_has_begun_gets_no_reminder(enroll: Enroll, world: World) -> None:
    world.entry = {"starts_at": (datetime.now(UTC) - HOUR).isoformat()}
    tomorrow = {"wait": {"before": "1d", "date": "$entry.starts_at", "late": "now"}}
    journey = await enroll(tomorrow, VOUCHER | {"expires_after": "1d"})
    await journey.outcome()
    assert journey.decided() == [("wait-1", "passed", "late"), ("voucher", "skipped", "")]


async def test_what_is_too_late_makes_nothing_behind_it_late(enroll: Enroll, world: World) -> None:
    world.entry = {"starts_at": (datetime.now(UTC) - 9 * DAY).isoformat()}
    reminder = {"wait": {"before": "1d", "date": "$entry.starts_at"}, "then": [{"send": {"template": "reminder"}}]}
    journey = await enroll(reminder, VOUCHER)
    await journey.outcome()
    assert journey.decided() == [("wait-1", "skipped", "late"), ("voucher", "passed", "sent")]


async def test_a_step_behind_a_message_that_waited_for_its_window_is_not_late(enroll: Enroll, world: World) -> None:
    world.sending.then(deferred_two_days)
    journey = await enroll({"id": "first", "send": {"template": "welcome"}}, VOUCHER)
    await journey.at("first")
    await journey.advance(2 * DAY)
    await journey.outcome()
    assert journey.decided() == [("first", "passed", "sent"), ("voucher", "passed", "sent")]


async def held_back(enroll: Enroll, world: World, *behind: dict[str, Any]) -> JourneyUnderTest:
    """A message whose window has opened after two days, and whose provider is down since then."""

    world.sending.always(outage())
    world.sending.then(deferred_two_days)
    journey = await enroll({"id": "first", "send": {"template": "welcome"}}, *behind)
    await journey.at("first")
    return journey


@pytest.mark.parametrize("timers", [Resuming.CATCH_UP, Resuming.SHIFT])
async def test_a_step_behind_such_a_message_is_not_late_for_a_pause_in_between(
    enroll: Enroll, world: World, timers: Resuming
) -> None:
    journey = await held_back(enroll, world, VOUCHER)
    await journey.advance(2 * DAY)
    await interrupted(journey, 7 * HOUR if timers is Resuming.SHIFT else HOUR, world, timers)
    await journey.outcome()
    assert journey.decided() == [("first", "passed", "sent"), ("voucher", "passed", "sent")]


async def interrupted(journey: JourneyUnderTest, hours: timedelta, world: World, timers: Resuming) -> None:
    """Pause it while the provider is down; resume it when the provider is back."""

    async def asked_again() -> bool:
        return len(world.asked(SendMessage)) > 1

    await eventually(asked_again)
    await journey.pause()
    await journey.at("first", "paused")
    await journey.advance(hours)
    world.sending.always(SENT)
    await journey.resume(timers)


async def test_a_message_held_back_beyond_a_pause_is_not_dropped_by_a_later_one(enroll: Enroll, world: World) -> None:
    journey = await held_back(enroll, world)
    await journey.pause()
    await journey.at("first", "paused")
    await journey.resume(Resuming.DROP_IF_LATE)
    await journey.at("first")
    await journey.advance(2 * DAY)
    await interrupted(journey, HOUR, world, Resuming.CATCH_UP)
    await journey.outcome()
    assert journey.decided() == [("first", "passed", "sent")]


async def test_the_gate_is_told_until_when_a_message_is_of_use(enroll: Enroll, world: World) -> None:
    refusal = SendReceipt(status=SendStatus.REFUSED, refusal=RefusalReason.OVERDUE, because="The window opens later.")
    world.sending.then(refusal)
    journey = await enroll(VOUCHER, {"send": {"template": "thanks"}})
    await journey.outcome()
    first, second = world.asked(SendMessage)
    assert first.expires_at == journey.run.entered_at + 6 * HOUR
    assert second.expires_at is None
    assert journey.decided()[0] == ("voucher", "refused", "refused")
