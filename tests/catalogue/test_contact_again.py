"""The shipped journey `contact-again`."""

from cli.testing.journey import OpenJourney

CONTACT = {"first_name": "Ada", "locale": "en", "consents": [{"purpose": "sales", "channel": "email"}]}
TALK = {"subject": "a new amplifier", "by": "Grace"}


async def test_three_calendar_months_after_a_conversation_another_one_is_offered(journey: OpenJourney) -> None:
    async with journey("contact-again", contact=CONTACT, start="2026-11-30 15:00") as j:
        await j.event("conversation.ended", TALK)
        await j.advance_to("2027-03-02 10:00")
        # 28 February 2027, the last day of that month, is a Sunday: the window opens on Monday.
        mail = j.assert_sent("contact-again", at="2027-03-01 09:00", times=1)
        assert "a new amplifier" in mail.text
        assert "Grace of Plattenladen" in mail.text
        j.assert_ended("completed")


async def test_the_three_months_count_from_the_last_conversation(journey: OpenJourney) -> None:
    async with journey("contact-again", contact=CONTACT, start="2026-06-01 10:00") as j:
        await j.event("conversation.ended", TALK)
        await j.advance_to("2026-07-15 16:00")
        await j.event("conversation.ended", {"subject": "a stylus"})
        j.assert_waiting(at="three-months", until="2026-10-15 09:00")
        await j.advance_to("2026-10-14 16:00")
        await j.event("conversation.ended")
        await j.finish()
        j.assert_sent("contact-again", at="2027-01-14 09:00", times=1)


async def test_a_conversation_after_the_offer_begins_anew(journey: OpenJourney) -> None:
    async with journey("contact-again", contact=CONTACT) as j:
        await j.event("conversation.ended", TALK)
        await j.finish()
        await j.event("conversation.ended", TALK)
        await j.finish()
        j.assert_entered(times=2)
        j.assert_sent("contact-again", times=2)


async def test_who_makes_an_appointment_is_not_asked(journey: OpenJourney) -> None:
    async with journey("contact-again", contact=CONTACT) as j:
        await j.event("conversation.ended", TALK)
        await j.advance(days=30)
        await j.event("appointment.booked")
        j.assert_ended("goal_met")
        j.assert_not_sent()


async def test_who_buys_in_between_is_not_asked(journey: OpenJourney) -> None:
    async with journey("contact-again", contact=CONTACT) as j:
        await j.event("conversation.ended", TALK)
        await j.advance(days=30)
        await j.event("order.placed", {"order_id": "o-1"})
        j.assert_ended("exited")
        j.assert_not_sent()


async def test_who_does_not_answer_is_not_asked_twice(journey: OpenJourney) -> None:
    async with journey("contact-again", contact=CONTACT) as j:
        await j.event("conversation.ended", TALK)
        await j.finish()
        j.assert_sent("contact-again", at="2026-09-01 09:00", times=1)
        j.assert_ended("completed")


async def test_consent_to_marketing_is_none_to_sales(journey: OpenJourney) -> None:
    async with journey("contact-again", contact={"consents": ["marketing"]}) as j:
        await j.event("conversation.ended", TALK)
        j.assert_not_entered(reason="audience")
