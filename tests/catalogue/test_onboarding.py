"""The shipped journey `onboarding`."""

from cli.testing.journey import OpenJourney

OFFER = {"offer_id": "a-17", "place": "Café Nadel"}
IT = {"offer_id": "a-17"}


async def test_a_new_house_is_welcomed_given_access_and_asked_how_it_goes(journey: OpenJourney) -> None:
    async with journey("onboarding", contact={"first_name": "Ada"}) as j:
        await j.event("offer.signed", OFFER)
        j.assert_stage("customer")
        assert "Café Nadel" in j.assert_sent("onboarding-welcome", at="Mon 10:00").text
        j.assert_task("grant-access", title="offer a-17", owner="service", due="2026-06-02 10:00")
        j.assert_task("set-up", title="Café Nadel", due="2026-06-08 12:00")
        await j.advance(hours=3)
        await j.complete_task("grant-access")
        j.assert_sent("onboarding-access", at="Mon 13:00")
        await j.event("account.logged_in")
        await j.advance(days=3)
        await j.event("account.logged_in")
        await j.advance_to("2026-06-15 10:30")
        j.assert_sent("onboarding-check-in", at="2026-06-15 10:00")
        await j.event("crate.exchanged", IT)
        j.assert_ended("goal_met")
        j.assert_no_task("ask-how-it-goes")
        j.assert_task("set-up", state="open")


async def test_access_that_does_not_come_is_chased(journey: OpenJourney) -> None:
    async with journey("onboarding") as j:
        await j.event("offer.signed", OFFER)
        await j.advance(days=2, hours=1)
        j.assert_not_sent("onboarding-access")
        j.assert_task("chase-access", title="a-17", owner="head-of-service")
        await j.complete_task("chase-access")
        j.assert_sent("onboarding-access", at="Wed 11:00")


async def test_who_hardly_uses_it_is_called(journey: OpenJourney) -> None:
    async with journey("onboarding") as j:
        await j.event("offer.signed", OFFER)
        await j.complete_task("grant-access")
        await j.event("account.logged_in")
        await j.advance(days=15)
        j.assert_task("ask-how-it-goes", title="Café Nadel", due="2026-06-17 12:00")
        j.assert_not_sent("onboarding-check-in")


async def test_access_that_nobody_gives_is_never_told(journey: OpenJourney) -> None:
    async with journey("onboarding") as j:
        await j.event("offer.signed", OFFER)
        await j.finish()
        j.assert_sent("onboarding-welcome", times=1)
        j.assert_not_sent("onboarding-access")
        j.assert_result("access-late", "timed_out")
        j.assert_ended("completed")


async def test_an_offer_signed_twice_is_one_onboarding_and_two_offers_are_two(journey: OpenJourney) -> None:
    async with journey("onboarding") as j:
        await j.event("offer.signed", OFFER)
        await j.event("offer.signed", OFFER)
        j.assert_entered(times=1)
        await j.event("offer.signed", {"offer_id": "a-18"})
        j.assert_entered(times=2)


async def test_an_offer_that_is_cancelled_ends_it_at_once(journey: OpenJourney) -> None:
    async with journey("onboarding") as j:
        await j.event("offer.signed", OFFER)
        await j.event("offer.cancelled", IT)
        j.assert_ended("exited")
        j.assert_task("grant-access", state="cancelled")
