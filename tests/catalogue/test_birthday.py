"""The shipped journey `birthday`."""

from cli.testing.journey import OpenJourney

ADA = {"first_name": "Ada", "birthday": "--06-03", "time_zone": "Asia/Tokyo", "locale": "en"}


async def test_it_comes_in_the_morning_where_the_contact_lives_and_once_more_where_it_is_not_used(
    journey: OpenJourney,
) -> None:
    async with journey("birthday", contact=ADA) as j:
        await j.advance(days=40)
        mail = j.assert_sent("birthday", at="2026-06-03 08:00", times=1)
        assert "FREUDE-SAMPLE-1" in mail.text
        assert "Ada" in mail.subject
        assert "FREUDE-SAMPLE-1" in j.assert_sent("birthday-reminder", at="2026-06-17 10:00", times=1).text
        j.assert_ended("completed")


async def test_the_next_year_brings_another_code(journey: OpenJourney) -> None:
    async with journey("birthday", contact=ADA) as j:
        await j.advance(days=400)
        j.assert_sent("birthday", times=2)
        assert "FREUDE-SAMPLE-2" in j.mails[-1].text


async def test_a_present_that_is_used_is_not_reminded_of(journey: OpenJourney) -> None:
    async with journey("birthday", contact=ADA) as j:
        await j.advance(days=5)
        await j.event("voucher.redeemed", {"pool": "birthday"})
        j.assert_ended("goal_met")
        await j.advance(days=30)
        j.assert_not_sent("birthday-reminder")


async def test_nobody_without_consent_is_congratulated(journey: OpenJourney) -> None:
    async with journey("birthday", contact={**ADA, "consents": []}) as j:
        await j.advance(days=5)
        j.assert_not_entered(reason="audience")
        j.assert_not_sent()
