"""The shipped journey `webinar`: form, list, stage, teaser, a reminder that is on time, and who was there is known."""

from cli.testing.journey import OpenJourney

WEBINAR = {"webinar_id": "w-1", "title": "Vinyl, close up", "starts_at": "2026-06-11T18:00:00+02:00"}
"""On Thursday; tests begin on the Monday before."""
IT = {"webinar_id": "w-1"}


async def test_who_registers_is_enlisted_and_a_lead_gets_a_teaser_at_once_and_a_reminder_the_day_before(
    journey: OpenJourney,
) -> None:
    async with journey("webinar", contact={"first_name": "Ada", "locale": "en", "consents": []}) as j:
        await j.event("webinar.registered", WEBINAR)
        j.assert_in_list("webinar-guests")
        j.assert_stage("lead")
        assert "Vinyl, close up" in j.assert_sent("webinar-teaser", at="Mon 10:00").subject
        await j.finish()
        j.assert_sent("webinar-reminder", at="2026-06-10 09:00", times=1)
        j.assert_ended("completed", at="2026-06-12 10:00")


async def test_who_attends_is_counted_and_gets_the_recording_with_thanks(journey: OpenJourney) -> None:
    async with journey("webinar", contact={"first_name": "Ada", "locale": "en"}) as j:
        await j.event("webinar.registered", WEBINAR)
        await j.advance_to("2026-06-11 18:05")
        await j.event("webinar.attended", IT)
        j.assert_running()
        await j.finish()
        mail = j.assert_sent("webinar-thanks", at="2026-06-12 10:00", times=1)
        assert "/en/webinars/recording?webinar=w-1" in mail.text
        j.assert_not_sent("webinar-missed")
        j.assert_ended("completed")


async def test_who_does_not_come_is_missed_and_gets_the_recording_too(journey: OpenJourney) -> None:
    async with journey("webinar", contact={"locale": "de"}) as j:
        await j.event("webinar.registered", WEBINAR)
        await j.event("webinar.attended", {"webinar_id": "w-2"})
        await j.finish()
        mail = j.assert_sent("webinar-missed", at="2026-06-12 10:00", times=1)
        assert "„Vinyl, close up“ hat ohne Dich begonnen" in mail.text
        j.assert_not_sent("webinar-thanks")


async def test_a_customer_does_not_become_a_lead_again(journey: OpenJourney) -> None:
    async with journey("webinar", contact={"stage": "customer"}) as j:
        await j.event("webinar.registered", WEBINAR)
        j.assert_stage("customer")
        j.assert_result("promote", "kept")


async def test_who_registers_late_is_not_reminded(journey: OpenJourney) -> None:
    async with journey("webinar", start="2026-06-10 15:00") as j:
        await j.event("webinar.registered", WEBINAR)
        await j.finish()
        j.assert_sent("webinar-teaser", times=1)
        j.assert_not_sent("webinar-reminder")
        j.assert_result("day-before", "late")
        j.assert_sent("webinar-missed", times=1)
        j.assert_ended("completed")


async def test_a_moved_webinar_moves_the_reminder(journey: OpenJourney) -> None:
    async with journey("webinar") as j:
        await j.event("webinar.registered", WEBINAR)
        await j.event("webinar.moved", {"webinar_id": "w-1", "starts_at": "2026-06-18T18:00:00+02:00"})
        j.assert_waiting(at="day-before", until="2026-06-17 09:00")
        await j.finish()
        j.assert_sent("webinar-reminder", at="2026-06-17 09:00", times=1)
        j.assert_sent("webinar-missed", at="2026-06-19 10:00", times=1)


async def test_who_unregisters_is_not_reminded(journey: OpenJourney) -> None:
    async with journey("webinar") as j:
        await j.event("webinar.registered", WEBINAR)
        await j.event("webinar.unregistered", {"webinar_id": "w-1"})
        j.assert_ended("exited", at="Mon 10:00")
        j.assert_not_sent("webinar-reminder")
        j.assert_not_sent("webinar-missed")
