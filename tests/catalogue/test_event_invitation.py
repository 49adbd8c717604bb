"""The shipped journey `event-invitation`."""

import pytest

from cli.testing.journey import OpenJourney

EVENING = {
    "event_id": "e-1",
    "title": "Kind of Blue",
    "place": "Musterweg 1",
    "starts_at": "2026-06-25T19:30:00+02:00",
}
"""On a Thursday, three and a half weeks after the day on which tests begin."""
IT = {"event_id": "e-1"}


async def test_a_guest_is_invited_reminded_and_thanked(journey: OpenJourney) -> None:
    async with journey("event-invitation", contact={"first_name": "Ada", "locale": "en"}) as j:
        await j.event("invitation.issued", EVENING)
        assert "25 June 2026, 19:30" in j.assert_sent("event-invitation", at="Mon 10:00").text
        await j.advance(days=2)
        await j.event("event.registered", IT)
        await j.advance_to("2026-06-25 21:00")
        j.assert_sent("event-tomorrow", at="2026-06-24 10:00")
        await j.event("event.attended", IT)
        await j.advance_to("2026-06-30 10:00")
        j.assert_sent("event-thanks", at="2026-06-26 10:00")
        letter = j.assert_task("trade-in-letter", title='"Kind of Blue"', owner="marketing", due="2026-07-01 12:00")
        assert "Musterweg 1" in letter.details
        await j.complete_task("trade-in-letter")
        await j.finish()
        j.assert_task("trade-in-letter", state="done")
        j.assert_not_sent("event-last-call")
        j.assert_not_sent("event-missed")
        j.assert_ended("completed")


async def test_who_books_an_appointment_is_not_written_to(journey: OpenJourney) -> None:
    async with journey("event-invitation") as j:
        await j.event("invitation.issued", EVENING)
        await j.event("event.registered", IT)
        await j.event("event.attended", IT)
        await j.advance_to("2026-06-26 11:00")
        j.assert_task("trade-in-letter")
        await j.event("appointment.booked")
        j.assert_ended("goal_met")
        j.assert_task("trade-in-letter", state="cancelled")


async def test_who_registers_and_does_not_come_is_missed(journey: OpenJourney) -> None:
    async with journey("event-invitation") as j:
        await j.event("invitation.issued", EVENING)
        await j.event("event.registered", IT)
        await j.finish()
        j.assert_sent("event-missed", at="2026-06-26 10:00")
        j.assert_result("was-there", "no-show")
        j.assert_no_task()


async def test_who_does_not_answer_is_asked_once_more_and_left_in_peace(journey: OpenJourney) -> None:
    async with journey("event-invitation") as j:
        await j.event("invitation.issued", EVENING)
        await j.finish()
        j.assert_sent("event-last-call", at="2026-06-18 10:00", times=1)
        j.assert_not_sent("event-tomorrow")
        j.assert_ended("exited", reason="did not register", at="2026-06-26 10:00")


@pytest.mark.parametrize("event", ["event.cancelled", "event.declined"])
async def test_it_ends_at_once_where_there_is_nothing_to_invite_to(journey: OpenJourney, event: str) -> None:
    async with journey("event-invitation") as j:
        await j.event("invitation.issued", EVENING)
        await j.advance(days=1)
        await j.event(event, IT)
        j.assert_ended("exited", at="Tue 10:00")
        j.assert_not_sent("event-last-call")


async def test_who_is_invited_in_the_last_week_is_not_asked_twice(journey: OpenJourney) -> None:
    async with journey("event-invitation", start="2026-06-22 12:00") as j:
        await j.event("invitation.issued", EVENING)
        await j.finish()
        j.assert_sent("event-invitation", times=1)
        j.assert_not_sent("event-last-call")


async def test_a_moved_evening_moves_reminder_and_follow_up(journey: OpenJourney) -> None:
    async with journey("event-invitation") as j:
        await j.event("invitation.issued", EVENING)
        await j.event("event.registered", IT)
        await j.event("event.moved", {**IT, "starts_at": "2026-07-02T19:30:00+02:00"})
        await j.finish()
        j.assert_sent("event-tomorrow", at="2026-07-01 10:00", times=1)
        j.assert_sent("event-missed", at="2026-07-03 10:00", times=1)
