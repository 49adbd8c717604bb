"""The shipped journey `voucher-and-review`, walked as its author would test it."""

from cli.testing.journey import OpenJourney

ORDER = {"order_id": "o-1", "order_number": 1, "product_id": "cd-1", "product_name": "Blue Train"}
REVIEW = {"product_id": "cd-1", "stars": 5}


async def test_who_buys_for_the_first_time_gets_a_voucher_and_is_asked_for_a_review(journey: OpenJourney) -> None:
    async with journey("voucher-and-review", contact={"first_name": "Ada"}) as j:
        await j.event("order.placed", ORDER)
        j.assert_waiting(at="wait-1", until="Tue 10:00")
        await j.finish()
        assert "Ada" in j.assert_sent("voucher", at="Tue 10:00").subject
        assert "Blue Train" in j.assert_sent("review-request", at="Thu 10:00").subject
        j.assert_ended("completed", at="Thu 10:00")


async def test_a_review_ends_the_journey_at_once(journey: OpenJourney) -> None:
    async with journey("voucher-and-review") as j:
        await j.event("order.placed", ORDER)
        await j.advance(days=2)
        await j.event("review.created", REVIEW)
        j.assert_ended("goal_met", at="Wed 10:00")
        j.assert_not_sent("review-request")
