"""The shipped journey `abandoned-cart`."""

from cli.testing.journey import OpenJourney

CART = {"cart_id": "c-1", "items": 2, "product_name": "Blue Train"}


async def test_a_cart_that_is_left_is_reminded_of_after_an_hour_and_once_more_the_evening_after(
    journey: OpenJourney,
) -> None:
    async with journey("abandoned-cart", contact={"first_name": "Ada", "locale": "en"}) as j:
        await j.event("cart.updated", CART)
        await j.finish()
        assert "Blue Train" in j.assert_sent("cart-reminder", at="Mon 11:00", times=1).text
        assert "PORTOFREI-SAMPLE-1" in j.assert_sent("cart-incentive", at="Tue 18:00", times=1).text
        j.assert_ended("completed")


async def test_who_goes_on_shopping_is_reminded_an_hour_later(journey: OpenJourney) -> None:
    async with journey("abandoned-cart") as j:
        await j.event("cart.updated", CART)
        await j.advance(minutes=30)
        await j.event("cart.updated", {**CART, "items": 3, "product_name": "Giant Steps"})
        j.assert_entered(times=1)
        j.assert_waiting(at="let-finish", until="Mon 11:30")
        await j.advance(hours=1)
        assert "Giant Steps" in j.assert_sent("cart-reminder", at="Mon 11:30").text  # as it is when the mail leaves


async def test_an_order_ends_it_at_once(journey: OpenJourney) -> None:
    async with journey("abandoned-cart") as j:
        await j.event("cart.updated", CART)
        await j.advance(hours=2)
        await j.event("order.placed", {"order_id": "o-1"})
        j.assert_ended("goal_met", at="Mon 12:00")
        j.assert_not_sent("cart-incentive")


async def test_an_emptied_cart_is_not_reminded_of_but_another_one_is(journey: OpenJourney) -> None:
    async with journey("abandoned-cart") as j:
        await j.event("cart.updated", CART)
        await j.event("cart.updated", {**CART, "cart_id": "c-2"})
        j.assert_entered(times=2)
        await j.event("cart.emptied", {"cart_id": "c-1"})
        await j.finish()
        j.assert_sent("cart-reminder", times=1)
        j.assert_sent("cart-incentive", times=1)
