"""The shipped journey `order-confirmation`: to everybody, at any hour."""

from cli.testing.journey import OpenJourney

ORDER = {"order_id": "o-1", "product_name": "Blue Train"}
ANYBODY = {"consents": [], "locale": "en"}


async def test_it_is_confirmed_at_once_even_on_a_sunday_night_and_without_consent(journey: OpenJourney) -> None:
    async with journey("order-confirmation", contact=ANYBODY, start="2026-06-07 23:30") as j:
        await j.event("checkout.completed", ORDER)
        assert "o-1" in j.assert_sent("order-confirmation", at="Sun 23:30").subject
        await j.advance(days=2)
        await j.event("order.shipped", {**ORDER, "tracking_url": "https://parcels.example/77"})
        assert "https://parcels.example/77" in j.assert_sent("order-shipped", at="Tue 23:30").html
        await j.event("delivery.completed", ORDER)
        j.assert_ended("goal_met")
        j.assert_not_sent("order-delayed")


async def test_a_late_order_is_owned_up_to(journey: OpenJourney) -> None:
    async with journey("order-confirmation", contact=ANYBODY) as j:
        await j.event("checkout.completed", ORDER)
        await j.advance(days=6)
        j.assert_sent("order-delayed", at="2026-06-06 10:00")
        await j.event("order.shipped", {**ORDER, "tracking_url": "https://parcels.example/late"})
        assert "https://parcels.example/late" in j.assert_sent("order-shipped", at="2026-06-07 10:00").html


async def test_an_order_that_never_leaves_is_looked_into(journey: OpenJourney) -> None:
    async with journey("order-confirmation") as j:
        await j.event("checkout.completed", ORDER)
        await j.finish()
        j.assert_in_list("needs-a-call")
        j.assert_not_sent("order-shipped")
        j.assert_ended("exited", reason="never left")


async def test_a_cancelled_order_ends_it_and_another_order_does_not(journey: OpenJourney) -> None:
    async with journey("order-confirmation") as j:
        await j.event("checkout.completed", ORDER)
        await j.event("order.cancelled", {"order_id": "o-2"})
        j.assert_running()
        await j.event("order.cancelled", ORDER)
        j.assert_ended("exited", at="Mon 10:00")
