"""The shipped journey `order-anniversary`."""

from cli.testing.journey import OpenJourney

ADA = {"first_name": "Ada", "first_ordered_at": "2024-06-03T18:20:00+02:00", "locale": "en"}


async def test_each_anniversary_is_thanked_for_with_the_years_gone_by(journey: OpenJourney) -> None:
    async with journey("order-anniversary", contact=ADA) as j:
        await j.advance(days=40)
        mail = j.assert_sent("order-anniversary", at="2026-06-03 10:00", times=1)
        assert mail.subject == "2 years of music together"
        assert "JUBEL-SAMPLE-1" in mail.text
        assert "JUBEL-SAMPLE-1" in j.assert_sent("order-anniversary-reminder", at="2026-06-26 10:00").text
        j.assert_ended("completed")


async def test_a_voucher_that_is_used_ends_it(journey: OpenJourney) -> None:
    async with journey("order-anniversary", contact=ADA) as j:
        await j.advance(days=10)
        await j.event("voucher.redeemed", {"pool": "anniversary"})
        j.assert_ended("goal_met")
        await j.advance(days=30)
        j.assert_not_sent("order-anniversary-reminder")


async def test_the_day_of_the_first_order_is_kept_by_the_order_and_no_later_one_changes_it(
    journey: OpenJourney,
) -> None:
    async with journey("order-confirmation") as j:
        await j.event("checkout.completed", {"order_id": "o-1", "ordered_at": "2026-06-01"})
        await j.event("checkout.completed", {"order_id": "o-2", "ordered_at": "2026-07-01"})
        assert j.attributes["first_ordered_at"] == "2026-06-01"
