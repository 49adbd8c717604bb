"""The shipped journey `loyal-customer`, walked as its author would test it."""

from typing import Any

from cli.testing.journey import OpenJourney

ORDER: dict[str, Any] = {"product_id": "cd-1", "quantity": 1, "currency": "EUR", "amount": 2_999}
FIVE_ORDERS = [{"event": "order.placed", "ago": f"{days}d", "properties": ORDER} for days in (90, 70, 50, 30, 10)]


async def test_the_sixth_order_makes_a_regular(journey: OpenJourney) -> None:
    async with journey("loyal-customer", contact={"history": FIVE_ORDERS, "first_name": "Ada"}) as j:
        j.assert_not_entered()
        await j.event("order.placed", ORDER)
        j.assert_entered()
        j.assert_attribute("customer_group", "loyal")
        j.assert_in_list("loyal-customers")
        assert "Ada" in j.assert_sent("loyal-customer", at="Mon 10:00").subject
        j.assert_waiting(at="await-next-order", until="2026-07-31 10:00")


async def test_the_next_order_is_the_goal(journey: OpenJourney) -> None:
    async with journey("loyal-customer", contact={"history": FIVE_ORDERS}) as j:
        await j.event("order.placed", ORDER)
        await j.advance(days=20)
        await j.event("order.placed", ORDER)
        j.assert_ended("goal_met")


async def test_without_a_further_order_it_ends_after_60_days(journey: OpenJourney) -> None:
    async with journey("loyal-customer", contact={"history": FIVE_ORDERS}) as j:
        await j.event("order.placed", ORDER)
        await j.finish()
        j.assert_ended("completed", at="2026-07-31 10:00")
        j.assert_in_list("loyal-customers")


async def test_who_rises_again_within_a_year_is_not_thanked_again(journey: OpenJourney) -> None:
    async with journey("loyal-customer", contact={"history": FIVE_ORDERS}) as j:
        await j.event("order.placed", ORDER)
        await j.finish()
        await j.event("order.refunded")
        await j.event("order.placed", ORDER)
        j.assert_not_entered(reason="cooling_down")
        j.assert_sent("loyal-customer", times=1)


async def test_without_consent_nobody_is_thanked(journey: OpenJourney) -> None:
    async with journey("loyal-customer", contact={"history": FIVE_ORDERS, "consents": []}) as j:
        await j.event("order.placed", ORDER)
        j.assert_not_entered(reason="audience")
        j.assert_not_in_list("loyal-customers")
