"""The shipped journey `referral`."""

from cli.testing.journey import OpenJourney

HAPPY = {"score": 10}


async def test_a_recommendation_that_works_is_rewarded(journey: OpenJourney) -> None:
    async with journey("referral", contact={"first_name": "Ada", "locale": "en"}) as j:
        await j.event("survey.answered", HAPPY)
        await j.advance(days=5)
        j.assert_sent("referral-invite", at="Tue 10:00")
        await j.event("referral.converted")
        assert "WEITER-SAMPLE-1" in j.assert_sent("referral-reward", at="Sat 10:00").text
        j.assert_not_sent("referral-reminder")
        await j.event("voucher.redeemed", {"pool": "referral-reward"})
        j.assert_ended("goal_met")


async def test_who_recommends_nobody_is_reminded_once(journey: OpenJourney) -> None:
    async with journey("referral") as j:
        await j.event("survey.answered", HAPPY)
        await j.finish()
        j.assert_sent("referral-reminder", at="2026-06-23 10:00", times=1)
        j.assert_not_sent("referral-reward")
        j.assert_ended("exited", reason="recommended nobody")


async def test_a_complaint_ends_it_at_once(journey: OpenJourney) -> None:
    async with journey("referral") as j:
        await j.event("survey.answered", HAPPY)
        await j.event("complaint.filed")
        j.assert_ended("exited", at="Mon 10:00")
        j.assert_not_sent()


async def test_only_the_happy_are_asked(journey: OpenJourney) -> None:
    async with journey("referral") as j:
        await j.event("survey.answered", {"score": 8})
        j.assert_not_entered()
