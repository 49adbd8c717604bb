"""The shipped journey `welcome`, walked as its author would test it."""

from cli.testing.journey import OpenJourney

REGISTERED = {"email": "ada@customers.example", "consent": True, "wording": "Yes, mail me."}


async def test_who_registers_is_welcomed_at_once_and_asked_for_the_profile(journey: OpenJourney) -> None:
    async with journey("welcome", contact={"consents": []}) as j:
        await j.event("contact.registered", REGISTERED)
        j.assert_sent("welcome", at="Mon 10:00")
        j.assert_waiting(at="settle-in", until="Wed 10:00")
        await j.finish()
        j.assert_sent("complete-profile", at="Wed 10:00")
        j.assert_ended("completed")


async def test_a_profile_completed_in_time_ends_it(journey: OpenJourney) -> None:
    async with journey("welcome") as j:
        await j.event("contact.registered", REGISTERED)
        await j.advance(days=1)
        await j.event("profile.completed")
        j.assert_ended("goal_met", at="Tue 10:00")
        j.assert_not_sent("complete-profile")


async def test_nobody_is_asked_for_what_is_known(journey: OpenJourney) -> None:
    async with journey("welcome") as j:
        await j.event("contact.registered", {**REGISTERED, "first_name": "Ada"})
        await j.advance(days=1)
        await j.event("contact.identified", {"country": "AT"})
        await j.finish()
        j.assert_result("profile-missing", "no", at="Wed 10:00")
        j.assert_not_sent("complete-profile")


async def test_a_deleted_contact_gets_nothing_more(journey: OpenJourney) -> None:
    async with journey("welcome") as j:
        await j.event("contact.registered", REGISTERED)
        await j.event("contact.deleted")
        j.assert_ended("exited", reason="contact.deleted")
        j.assert_sent("welcome", times=1)


async def test_without_consent_nobody_is_welcomed(journey: OpenJourney) -> None:
    async with journey("welcome", contact={"consents": []}) as j:
        await j.event("contact.registered", {"email": "ada@customers.example"})
        j.assert_not_entered(reason="audience")
        j.assert_not_sent()
