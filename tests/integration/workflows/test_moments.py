"""Waits for a moment: looked up in the contact's calendar, moved when it moves, and left out where it is too late."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from journeys.outcomes import JourneyState
from tests.support.ports import World, fails_for_good
from tests.support.temporal import Enroll, JourneyUnderTest, eventually
from workflows.ports import ResolveInstant, SendMessage

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
TOKYO = ZoneInfo("Asia/Tokyo")
MOVED_BY = {"event": "webinar.moved", "where": {"webinar_id": "$entry.webinar_id"}, "property": "new_start"}


def reminder(template: str, **moment: Any) -> dict[str, Any]:
    """A wait with a mail that belongs to it."""
    return {
        "id": f"until-{template}",
        "wait": {"date": "$entry.starts_at", **moment},
        "then": [{"id": template, "send": {"template": template}}],
    }


def sent(world: World) -> list[str]:
    return [request.template for request in world.asked(SendMessage)]


def in_hours(hours: float) -> str:
    """So many hours from now, as a producer writes it."""
    return (datetime.now(UTC) + hours * HOUR).isoformat()


class TestCalendar:
    async def test_a_calendar_day_is_waited_for_on_the_wall_of_the_contact(self, enroll: Enroll, world: World) -> None:
        world.contact = {"time_zone": "Asia/Tokyo"}
        journey = await enroll({"wait": "1 day at 09:00"}, {"send": {"template": "voucher"}})
        waiting = await journey.at("wait-1")
        assert waiting.until is not None
        due = waiting.until.astimezone(TOKYO)
        assert (due.date(), f"{due:%H:%M:%S}") == (waiting.since.astimezone(TOKYO).date() + DAY, "09:00:00")
        assert waiting.doing == "wait 1 day at 09:00"
        assert world.progress[journey.enrollment_id].due_at == waiting.until
        assert f"until {due:%a} {due.day} {due:%b} 09:00 Asia/Tokyo" in await timer_summary(journey)
        await journey.advance(2 * DAY)
        await journey.outcome()
        assert journey.decided()[0] == ("wait-1", "passed", "due")

    async def test_an_unknown_zone_falls_back_and_the_decision_says_so(self, enroll: Enroll, world: World) -> None:
        world.contact = {"time_zone": "Mars/Olympus"}
        journey = await enroll({"wait": "1 day at 09:00"})
        await journey.at("wait-1")
        await journey.advance(2 * DAY)
        await journey.outcome()
        (decision,) = world.decided(journey.enrollment_id)
        assert decision.because.endswith(
            "09:00 Europe/Berlin. The time zone of the contact is unknown: Europe/Berlin is used."
        )

    async def test_it_costs_no_activity_to_write_down_where_it_waits(self, enroll: Enroll, world: World) -> None:
        journey = await enroll({"wait": "1 day at 09:00"})
        await journey.at("wait-1")
        assert not world.reports

    async def test_a_contact_that_moves_takes_its_nine_o_clock_along(self, enroll: Enroll, world: World) -> None:
        journey = await enroll({"wait": "3 days at 09:00"})
        await journey.at("wait-1")
        world.contact = {"time_zone": "Asia/Tokyo"}
        await journey.deliver("moved:wait-1:contact")
        moved = await journey.until(
            lambda answer: answer.until is not None and answer.until.astimezone(TOKYO).hour == 9
        )
        assert moved.state is JourneyState.WAITING

    async def test_a_goal_ends_it_at_once(self, enroll: Enroll) -> None:
        journey = await enroll({"wait": "3 months at 09:00"}, goal={"type": "sell", "event": "order.placed"})
        await journey.at("wait-1")
        await journey.deliver("goal")
        assert (await journey.outcome()).state is JourneyState.GOAL_MET

    async def test_an_open_window_is_not_waited_for(self, enroll: Enroll, world: World) -> None:
        journey = await enroll({"wait": "next_window"}, window={"days": "mon-sun"})
        await journey.outcome()
        assert journey.decided() == [("wait-1", "passed", "due")]
        assert world.asked(ResolveInstant)[0].window == {}

    async def test_a_closed_window_is_waited_for(self, enroll: Enroll) -> None:
        local = datetime.now(BERLIN)
        tomorrow = f"{local + DAY:%a}".lower()
        journey = await enroll({"wait": "next_window"}, window={"days": tomorrow, "from": "08:00", "to": "20:00"})
        waiting = await journey.at("wait-1")
        assert waiting.until is not None
        opens = waiting.until.astimezone(BERLIN)
        assert (opens.date(), opens.hour) == ((local + DAY).date(), 8)


class TestLateness:
    T_MINUS = (
        reminder("in-three-days", before="3d"),
        reminder("in-two-days", before="2d"),
        reminder("tomorrow", before="1d", late="now"),
    )

    @pytest.mark.parametrize(
        ("registered", "mails"),
        [
            (80, ["in-three-days", "in-two-days", "tomorrow"]),
            (60, ["in-two-days", "tomorrow"]),
            (40, ["tomorrow"]),
            (20, ["tomorrow"]),
        ],
    )
    async def test_who_registers_late_gets_only_the_reminders_that_are_still_true(
        self, enroll: Enroll, world: World, registered: int, mails: list[str]
    ) -> None:
        world.entry = {"starts_at": in_hours(registered)}
        journey = await enroll(*self.T_MINUS)
        if registered > 24:
            await journey.advance(4 * DAY)
        await journey.outcome()
        assert sent(world) == mails

    async def test_what_is_too_late_is_skipped_with_its_reason(self, enroll: Enroll, world: World) -> None:
        world.entry = {"starts_at": in_hours(10)}
        journey = await enroll(
            {**reminder("tomorrow", before="1d"), "else": [{"id": "late", "list": {"add": "latecomers"}}]}
        )
        await journey.outcome()
        assert journey.decided()[0] == ("until-tomorrow", "skipped", "late")
        assert [step for step, _, _ in journey.decided()] == ["until-tomorrow", "late"]
        decision = world.decided(journey.enrollment_id)[0]
        assert decision.because.startswith("it was too late: that was ")
        assert decision.because.endswith(" Europe/Berlin")

    async def test_a_wait_that_has_begun_is_not_too_late_however_long_it_was_paused(
        self, enroll: Enroll, world: World
    ) -> None:
        world.entry = {"starts_at": in_hours(30)}
        journey = await enroll(reminder("tomorrow", before="1d"))
        await journey.at("until-tomorrow")
        await journey.pause()
        await journey.at("until-tomorrow", "paused")
        await journey.advance(DAY)
        await journey.resume()
        await journey.outcome()
        assert journey.decided()[0] == ("until-tomorrow", "passed", "due")
        assert len(world.asked(ResolveInstant)) == 1


class TestMissingDates:
    async def test_a_missing_date_needs_attention_and_mends_itself_when_it_comes(
        self, enroll: Enroll, world: World
    ) -> None:
        journey = await enroll({"wait": {"on": "$contact.contract_end", "late": "now"}})
        parked = await journey.at("wait-1", "needs_attention")
        assert parked.attention == "Invalid: The date 'contract_end' of the contact is missing."
        world.contact["contract_end"] = in_hours(100)
        await journey.deliver("moved:wait-1:contact")
        assert (await journey.at("wait-1")).attention is None

    async def test_what_still_has_no_date_is_shown_as_parked_again(self, enroll: Enroll, world: World) -> None:
        journey = await enroll({"wait": {"on": "$contact.contract_end", "late": "now"}})
        await journey.at("wait-1", "needs_attention")
        await journey.deliver("moved:wait-1:contact")  # another attribute of those that count
        await eventually(lambda: looked_up_twice(world))
        await journey.at("wait-1", "needs_attention")
        assert world.progress[journey.enrollment_id].state is JourneyState.NEEDS_ATTENTION

    async def test_the_epoch_is_no_date(self, enroll: Enroll, world: World) -> None:
        world.entry = {"starts_at": "1970-01-01T00:00:00Z"}
        journey = await enroll(reminder("tomorrow", before="1d", missing="skip"))
        await journey.outcome()
        (decision,) = world.decided(journey.enrollment_id)
        assert (decision.verdict, decision.result) == ("skipped", "missing")
        assert decision.because == (
            "The date 'starts_at' of the entry is one that producers write where they have none."
        )
        assert sent(world) == []

    async def test_what_fails_for_good_needs_attention(self, enroll: Enroll, world: World) -> None:
        world.resolving.then(fails_for_good("The window does not open within 366 days."))
        journey = await enroll({"wait": "1 day at 09:00"})
        await journey.at("wait-1", "needs_attention")
        await journey.retry()
        assert (await journey.at("wait-1")).until is not None


class TestMovedDates:
    async def test_a_date_that_moves_to_later_is_waited_for_longer(self, enroll: Enroll, world: World) -> None:
        journey = await self._waiting(enroll, world, hours=48)
        event = await self._move(journey, world, hours=96)
        moved = await journey.until(lambda answer: answer.until != self.before)
        assert self.before is not None
        assert moved.until is not None
        assert timedelta(hours=47) < moved.until - self.before < timedelta(hours=49)
        await journey.advance(timedelta(hours=30))
        assert sent(world) == []
        await journey.advance(timedelta(hours=48))
        await journey.outcome()
        assert sent(world) == ["tomorrow"]
        assert world.asked(ResolveInstant)[-1].moved_by == event

    async def test_a_date_that_moves_to_earlier_ends_the_wait_earlier(self, enroll: Enroll, world: World) -> None:
        journey = await self._waiting(enroll, world, hours=30 * 24)
        await self._move(journey, world, hours=26)
        await journey.until(lambda answer: answer.until != self.before)
        await journey.advance(timedelta(hours=3))
        await journey.outcome()
        assert sent(world) == ["tomorrow"]

    async def test_a_date_that_moves_into_the_past_is_too_late(self, enroll: Enroll, world: World) -> None:
        journey = await self._waiting(enroll, world, hours=30 * 24)
        await self._move(journey, world, hours=2)
        await journey.outcome()
        assert journey.decided() == [("until-tomorrow", "skipped", "late")]
        assert sent(world) == []

    async def test_what_moved_before_the_step_was_reached_counts_when_it_is(self, enroll: Enroll, world: World) -> None:
        world.entry = {"starts_at": in_hours(48)}
        journey = await enroll({"wait": "1h"}, reminder("tomorrow", before="1d", moved_by=MOVED_BY))
        await journey.at("wait-1")
        await self._move(journey, world, hours=72)
        newest = await self._move(journey, world, hours=96)
        await journey.advance(HOUR)
        waiting = await journey.at("until-tomorrow")
        assert waiting.until is not None
        assert timedelta(hours=71) < waiting.until - journey.run.entered_at < timedelta(hours=73)
        assert world.asked(ResolveInstant)[0].moved_by == newest

    async def test_a_move_during_a_pause_counts_when_resumed(self, enroll: Enroll, world: World) -> None:
        journey = await self._waiting(enroll, world, hours=48)
        await journey.pause()
        await journey.at("until-tomorrow", "paused")
        await self._move(journey, world, hours=96)
        await journey.resume()
        moved = await journey.until(lambda answer: answer.until != self.before)
        assert moved.state is JourneyState.WAITING

    async def test_an_older_word_does_not_replace_a_newer_one(self, enroll: Enroll, world: World) -> None:
        journey = await self._waiting(enroll, world, hours=48)
        await self._move(journey, world, hours=96)
        moved = await journey.until(lambda answer: answer.until != self.before)
        world.moves["late-news"] = {"new_start": in_hours(200)}
        await journey.deliver("moved:until-tomorrow", event_id="late-news", at=journey.run.entered_at)
        assert (await journey.explain()).until == moved.until
        assert len(world.asked(ResolveInstant)) == 2

    before: datetime | None = None

    async def _waiting(self, enroll: Enroll, world: World, *, hours: float) -> JourneyUnderTest:
        world.entry = {"starts_at": in_hours(hours)}
        journey = await enroll(reminder("tomorrow", before="1d", moved_by=MOVED_BY))
        self.before = (await journey.at("until-tomorrow")).until
        return journey

    async def _move(self, journey: JourneyUnderTest, world: World, *, hours: float) -> str:
        event = f"moved-to-{hours}"
        world.moves[event] = {"new_start": in_hours(hours)}
        return await journey.deliver("moved:until-tomorrow", event_id=event)


async def looked_up_twice(world: World) -> bool:
    return len(world.asked(ResolveInstant)) == 2


async def timer_summary(journey: JourneyUnderTest) -> str:
    """The summary of the last timer, as the Temporal UI shows it."""

    async def found() -> str:
        summaries = [
            event.user_metadata.summary.data.decode()
            for event in (await journey.history()).events
            if event.HasField("timer_started_event_attributes")
        ]
        return summaries[-1] if summaries else ""

    return await eventually(found)
