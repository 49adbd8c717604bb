"""The shipped journey `gated-content`: nothing but the confirmation is sent before the address is confirmed."""

from cli.testing.journey import OpenJourney

FORM = {
    "form": "gated-content",
    "asset": "turntables",
    "asset_title": "Your first turntable",
    "asset_url": "https://plattenladen.example/a/1",
    "confirmation_url": "https://plattenladen.example/c/1",
}
UNKNOWN = {"consents": [], "locale": "en"}
GRANTED = {"purpose": "marketing", "channel": "email"}


async def test_the_guide_comes_at_once_after_the_confirmation(journey: OpenJourney) -> None:
    async with journey("gated-content", contact=UNKNOWN) as j:
        await j.event("form.submitted", FORM)
        assert FORM["confirmation_url"] in j.assert_sent("guide-confirm", at="Mon 10:00").text
        await j.advance(hours=3)
        j.assert_not_sent("guide-download")
        await j.event("consent.granted", GRANTED)
        assert FORM["asset_url"] in j.assert_sent("guide-download", at="Mon 13:00").text
        j.assert_not_sent("guide-confirm-reminder")
        j.assert_stage("lead")
        await j.event("asset.downloaded", {"asset": "turntables"})
        j.assert_ended("goal_met", at="Mon 13:00")


async def test_who_has_agreed_before_gets_it_without_being_asked(journey: OpenJourney) -> None:
    async with journey("gated-content", contact={"stage": "customer"}) as j:
        await j.event("form.submitted", FORM)
        j.assert_sent("guide-download", at="Mon 10:00")
        j.assert_not_sent("guide-confirm")
        j.assert_stage("customer")
        await j.finish()
        j.assert_ended("completed")


async def test_who_does_not_confirm_is_reminded_once_and_gets_no_guide(journey: OpenJourney) -> None:
    async with journey("gated-content", contact=UNKNOWN) as j:
        await j.event("form.submitted", FORM)
        await j.finish()
        j.assert_sent("guide-confirm-reminder", at="Wed 10:00", times=1)
        j.assert_not_sent("guide-download")
        j.assert_ended("exited", reason="not confirmed", at="2026-06-08 10:00")
        j.assert_stage("visitor")


async def test_who_confirms_after_the_reminder_gets_it(journey: OpenJourney) -> None:
    async with journey("gated-content", contact=UNKNOWN) as j:
        await j.event("form.submitted", FORM)
        await j.advance(days=4)
        await j.event("consent.granted", GRANTED)
        j.assert_sent("guide-download", at="Fri 10:00")


async def test_a_deleted_contact_is_not_reminded(journey: OpenJourney) -> None:
    async with journey("gated-content", contact=UNKNOWN) as j:
        await j.event("form.submitted", FORM)
        await j.event("contact.deleted")
        j.assert_ended("exited", at="Mon 10:00")
        j.assert_not_sent("guide-confirm-reminder")


async def test_who_withdraws_the_consent_that_opened_the_gate_leaves_at_once(journey: OpenJourney) -> None:
    async with journey("gated-content", contact=UNKNOWN) as j:
        await j.event("form.submitted", FORM)
        await j.event("consent.granted", GRANTED)
        j.assert_sent("guide-download", at="Mon 10:00")
        await j.advance(days=1)
        await j.event("consent.withdrawn", GRANTED)
        j.assert_ended("exited", reason="consent to marketing by email withdrawn", at="Tue 10:00")
