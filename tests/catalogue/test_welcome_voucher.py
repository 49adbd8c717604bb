"""The shipped journey `welcome-voucher`."""

from cli.testing.journey import OpenJourney

GRANTED = {"purpose": "marketing", "channel": "email"}
NOBODY_ASKED = {"consents": [], "first_name": "Ada", "locale": "en"}


async def test_who_confirms_gets_a_code_at_once_and_is_reminded_of_the_same_one_before_it_expires(
    journey: OpenJourney,
) -> None:
    async with journey("welcome-voucher", contact=NOBODY_ASKED) as j:
        await j.event("contact.registered")
        j.assert_not_sent()
        await j.event("consent.granted", GRANTED)
        mail = j.assert_sent("welcome-voucher", at="Mon 10:00")
        assert "HALLO-SAMPLE-1" in mail.text
        assert "valid until 1 July 2026" in mail.text
        await j.finish()
        assert "HALLO-SAMPLE-1" in j.assert_sent("welcome-voucher-reminder", at="2026-06-24 10:00").text
        j.assert_ended("completed", at="2026-07-02 10:00")


async def test_who_redeems_it_is_not_reminded(journey: OpenJourney) -> None:
    async with journey("welcome-voucher", contact=NOBODY_ASKED) as j:
        await j.event("consent.granted", GRANTED)
        await j.advance(days=3)
        await j.event("voucher.redeemed", {"pool": "welcome"})
        j.assert_ended("goal_met", at="Thu 10:00")
        j.assert_not_sent("welcome-voucher-reminder")


async def test_consent_to_something_else_is_no_entry_and_a_withdrawal_ends_it(journey: OpenJourney) -> None:
    async with journey("welcome-voucher", contact={"consents": []}) as j:
        await j.event("consent.granted", {"purpose": "sales", "channel": "email"})
        j.assert_not_sent()
        await j.event("consent.granted", GRANTED)
        await j.advance(days=1)
        await j.event("consent.withdrawn", GRANTED)
        j.assert_ended("exited", reason="consent.withdrawn")
        j.assert_not_sent("welcome-voucher-reminder")


async def test_without_a_code_there_is_neither_mail_nor_reminder(journey: OpenJourney) -> None:
    async with journey("welcome-voucher", contact={"sold_out": ["welcome"]}) as j:
        await j.event("consent.granted", GRANTED)
        j.assert_refused("welcome-voucher", reason="sold_out")
        j.assert_ended("exited", reason="got no voucher")
