"""How often the pretended contact is written to: the same cap, line, repetition and quiet hours, and its groups."""

from typing import Any

from cli.testing.journey import OpenJourney
from tests.integration.cli.simulation.test_ways import tried

EVERY_ORDER: dict[str, Any] = {"entry": {"event": "order.placed", "again": {"per": "order_id"}}}


def mail(template: str, **said: Any) -> dict[str, Any]:
    return {"id": template, "send": {"template": template, **said}}


FOUR = [mail("welcome"), mail("review-request"), mail("thank-you"), mail("win-back")]


async def test_the_fourth_message_of_a_week_waits_until_the_first_has_left_it(journey: OpenJourney) -> None:
    async with journey(tried(*FOUR)) as j:  # Monday at 10:00
        await j.event("order.placed")
        j.assert_waiting(at="win-back", until="Mon 10:00")
        assert "3 marketing messages within 7 days" in j.timeline()
        await j.finish()
        j.assert_sent("win-back", at="2026-06-08 10:00")


async def test_a_message_that_skips_is_left_out(journey: OpenJourney) -> None:
    async with journey(tried(*FOUR[:3], mail("win-back", cap="skip"))) as j:
        await j.event("order.placed")
        j.assert_refused("win-back", reason="frequency_cap")


async def test_the_same_template_is_refused_within_18_hours_unless_its_step_says_otherwise(
    journey: OpenJourney,
) -> None:
    steps = [
        mail("review-request"),
        {**mail("review-request"), "id": "again"},
        {**mail("review-request", repeat="always"), "id": "always"},
    ]
    async with journey(tried(*steps)) as j:
        await j.event("order.placed")
        j.assert_refused("review-request", reason="sent_before")
        j.assert_sent("review-request", step="always")


async def test_enrollments_of_one_contact_count_together_and_take_their_turns(journey: OpenJourney) -> None:
    async with journey(tried(mail("review-request", repeat="always"), **EVERY_ORDER)) as j:
        for number in range(4):
            await j.event("order.placed", {"order_id": f"o-{number}"})
        j.assert_sent("review-request", times=3)
        await j.finish()
        j.assert_sent("review-request", times=1, at="2026-06-08 10:00")


async def test_the_quiet_hours_of_the_contact_are_kept(journey: OpenJourney) -> None:
    async with journey(tried(mail("review-request")), contact={"quiet_hours": "09:00-12:30"}) as j:
        await j.event("order.placed")
        j.assert_waiting(at="review-request", until="Mon 12:30")
        await j.event("contact.identified", {"quiet_hours": None})
        await j.finish()
        j.assert_sent("review-request", at="Mon 12:30")


async def test_a_message_that_skips_is_left_out_at_a_closed_window_and_the_journey_goes_on(
    journey: OpenJourney,
) -> None:
    evening = {"from": "18:00", "to": "20:00"}
    steps = [mail("review-request", closed="skip"), mail("order-confirmation")]
    async with journey(tried(*steps, window=evening)) as j:  # Monday at 10:00
        await j.event("order.placed", {"order_id": "o-1", "product_name": "Blue Train"})
        j.assert_refused("review-request", reason="window_closed")
        j.assert_sent("order-confirmation", at="Mon 10:00")


async def test_a_contact_in_the_holdout_gets_receipts_and_nothing_else(journey: OpenJourney) -> None:
    async with journey(tried(mail("review-request"), mail("order-confirmation")), contact={"holdout": True}) as j:
        await j.event("order.placed", {"order_id": "o-1", "product_name": "Blue Train"})
        j.assert_refused("review-request", reason="holdout")
        j.assert_sent("order-confirmation")


async def test_a_contact_in_the_control_group_gets_no_marketing_message(journey: OpenJourney) -> None:
    async with journey(tried(mail("review-request")), contact={"control_group": True}) as j:
        await j.event("order.placed")
        j.assert_refused("review-request", reason="control_group")
