"""Rescheduling: operators move the end of a running wait, to earlier or to later."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from journeys.outcomes import JourneyState
from kit.errors import Conflict
from tests.support.ports import World, deferred_two_days, fails_for_good
from tests.support.temporal import Enroll, eventually
from workflows.names import DUE_AT
from workflows.ports import ResolveInstant, SendMessage

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
VOUCHER: dict[str, Any] = {"id": "voucher", "send": {"template": "voucher"}}
TOMORROW: dict[str, Any] = {
    "id": "tomorrow",
    "wait": {"before": "1d", "date": "$entry.starts_at", "moved_by": {"event": "webinar.moved"}},
    "then": [VOUCHER],
}


async def test_a_wait_is_moved_to_later(enroll: Enroll, world: World) -> None:
    journey = await enroll({"wait": "1d"}, VOUCHER)
    before = (await journey.at("wait-1")).until
    assert before is not None
    answer = await journey.reschedule(before + DAY)
    assert (answer.state, answer.until) == (JourneyState.WAITING, before + DAY)
    await journey.at("wait-1")
    await journey.advance(DAY)
    assert not world.asked(SendMessage)
    await journey.advance(DAY)
    await journey.outcome()
    assert journey.decided() == [("wait-1", "passed", ""), ("voucher", "passed", "sent")]


async def test_a_wait_is_moved_to_earlier(enroll: Enroll) -> None:
    journey = await enroll({"wait": "30d"}, VOUCHER)
    since = (await journey.at("wait-1")).since
    await journey.reschedule(since + DAY)
    await journey.at("wait-1")
    await journey.advance(DAY)
    await journey.outcome()
    (decision, _) = journey.world.decided(journey.enrollment_id)
    assert timedelta() <= decision.at - (since + DAY) < timedelta(minutes=5)
    assert decision.because == "time passed (rescheduled by ops-1: looked into it)"


async def test_an_instant_that_has_passed_ends_the_wait_at_once(enroll: Enroll) -> None:
    journey = await enroll({"wait": "30d"}, VOUCHER)
    await journey.at("wait-1")
    await journey.reschedule(datetime(2026, 1, 1, tzinfo=UTC))
    await journey.outcome()
    assert journey.decided() == [("wait-1", "passed", ""), ("voucher", "passed", "sent")]


@pytest.mark.parametrize("at", [datetime(2026, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=timezone(5 * HOUR))])
async def test_what_follows_a_wait_that_was_ended_at_once_is_not_late(enroll: Enroll, at: datetime) -> None:
    journey = await enroll({"wait": "30d"}, VOUCHER | {"expires_after": "2h"})
    await journey.at("wait-1")
    await journey.reschedule(at)
    await journey.outcome()
    assert journey.decided() == [("wait-1", "passed", ""), ("voucher", "passed", "sent")]


async def test_projection_and_search_attributes_show_the_new_end(enroll: Enroll, world: World) -> None:
    journey = await enroll({"wait": "1d"})
    before = (await journey.at("wait-1")).until
    assert before is not None
    await journey.reschedule(before + DAY)

    async def shown() -> bool:
        attributes = (await journey.handle.describe()).typed_search_attributes
        return attributes.get(DUE_AT) == before + DAY and world.progress[journey.enrollment_id].due_at == before + DAY

    await eventually(shown)


async def test_a_wait_for_an_event_is_given_more_time(enroll: Enroll) -> None:
    journey = await enroll({"id": "asked", "wait_for": {"event": "page.viewed", "up_to": "1d"}})
    before = (await journey.at("asked")).until
    assert before is not None
    await journey.reschedule(before + 9 * DAY)
    await journey.at("asked")
    await journey.advance(5 * DAY)
    await journey.deliver("step:asked")
    await journey.outcome()
    assert journey.decided() == [("asked", "passed", "arrived")]


async def test_a_message_that_waits_for_its_window_is_asked_for_earlier(enroll: Enroll, world: World) -> None:
    world.sending.then(deferred_two_days)
    journey = await enroll(VOUCHER)
    since = (await journey.at("voucher")).since
    await journey.reschedule(since)
    await journey.outcome()
    assert len(world.asked(SendMessage)) == 2


async def test_a_paused_wait_is_moved_and_stays_paused(enroll: Enroll, world: World) -> None:
    journey = await enroll({"wait": "1d"}, VOUCHER)
    before = (await journey.at("wait-1")).until
    assert before is not None
    await journey.pause()
    await journey.at("wait-1", "paused")
    moved = await journey.reschedule(before + DAY)
    assert (moved.state, moved.until) == (JourneyState.PAUSED, before + DAY)

    async def shown() -> bool:
        return world.progress[journey.enrollment_id].due_at == before + DAY

    await eventually(shown)
    await journey.resume()
    assert (await journey.at("wait-1")).until == before + DAY


class TestMoments:
    async def test_a_moment_that_was_rescheduled_is_not_looked_up_again(self, enroll: Enroll, world: World) -> None:
        world.entry = {"starts_at": (datetime.now(UTC) + 10 * DAY).isoformat()}
        journey = await enroll(TOMORROW)
        before = (await journey.at("tomorrow")).until
        assert before is not None
        await journey.reschedule(before + DAY)
        await journey.pause()
        await journey.at("tomorrow", "paused")
        await journey.resume()
        assert (await journey.at("tomorrow")).until == before + DAY
        assert len(world.asked(ResolveInstant)) == 1

    async def test_a_date_that_moves_afterwards_moves_the_wait_again(self, enroll: Enroll, world: World) -> None:
        world.entry = {"starts_at": (datetime.now(UTC) + 10 * DAY).isoformat()}
        world.moves = {"news": {"starts_at": (datetime.now(UTC) + 5 * DAY).isoformat()}}
        journey = await enroll(TOMORROW)
        before = (await journey.at("tomorrow")).until
        assert before is not None
        await journey.reschedule(before + DAY)
        await journey.deliver("moved:tomorrow", event_id="news")
        moved = await journey.until(lambda answer: answer.until is not None and answer.until < before)
        assert moved.state is JourneyState.WAITING
        await journey.advance(5 * DAY)
        await journey.outcome()
        decision = world.decided(journey.enrollment_id)[0]
        assert "rescheduled" not in decision.because


class TestRefusals:
    async def test_what_does_not_wait_cannot_be_moved(self, enroll: Enroll, world: World) -> None:
        world.sending.then(fails_for_good())
        journey = await enroll(VOUCHER)
        await journey.at("voucher", "needs_attention")
        with pytest.raises(Conflict, match="not waiting"):
            await journey.reschedule(datetime(2030, 1, 1, tzinfo=UTC))

    async def test_an_instant_without_an_offset_is_refused(self, enroll: Enroll) -> None:
        journey = await enroll({"wait": "1d"})
        await journey.at("wait-1")
        with pytest.raises(Conflict, match="no offset from UTC"):
            await journey.reschedule(datetime(2030, 1, 1))  # noqa: DTZ001 -- the point of the test

    async def test_nobody_waits_for_more_than_a_hundred_years(self, enroll: Enroll) -> None:
        journey = await enroll({"wait": "1d"})
        await journey.at("wait-1")
        with pytest.raises(Conflict, match="hundred years"):
            await journey.reschedule(datetime(2199, 1, 1, tzinfo=UTC))
