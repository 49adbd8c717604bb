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


async def test_mails_wait_for_the_next_working_day_where_the_contact_lives(journey: OpenJourney) -> None:
    tokyo = {"time_zone": "Asia/Tokyo", "country": "JP"}
    async with journey("voucher-and-review", contact=tokyo, start="2026-05-02 21:00") as j:
        await j.event("order.placed", ORDER)
        await j.finish()
        j.assert_sent("voucher", at="2026-05-07 08:00")  # after the weekend and three holidays
        j.assert_sent("review-request", at="2026-05-11 08:00")


async def test_a_review_ends_it_at_once_and_is_not_asked_for(journey: OpenJourney) -> None:
    async with journey("voucher-and-review") as j:
        await j.event("order.placed", ORDER)
        await j.advance(days=2)
        await j.event("review.created", REVIEW)
        j.assert_ended("goal_met", at="Wed 10:00")
        j.assert_sent("voucher", times=1)
        j.assert_not_sent("review-request")


async def test_a_review_of_another_product_is_not_the_goal(journey: OpenJourney) -> None:
    async with journey("voucher-and-review") as j:
        await j.event("order.placed", ORDER)
        await j.event("review.created", {**REVIEW, "product_id": "cd-2"})
        await j.finish()
        j.assert_sent("review-request")


async def test_a_refund_on_the_first_day_ends_it_without_a_mail(journey: OpenJourney) -> None:
    async with journey("voucher-and-review") as j:
        await j.event("order.placed", ORDER)
        await j.advance(hours=3)
        await j.event("order.refunded", {"order_id": "o-1"})
        j.assert_ended("exited", reason="order.refunded", at="Mon 13:00")
        j.assert_not_sent()


async def test_it_is_entered_once_and_only_with_consent(journey: OpenJourney) -> None:
    async with journey("voucher-and-review", contact={"consents": []}) as j:
        await j.event("order.placed", ORDER)
        j.assert_not_entered(reason="audience")
        await j.event("consent.granted")
        await j.event("order.placed", ORDER)
        await j.finish()
        await j.event("order.placed", ORDER)
        j.assert_not_entered(reason="already_entered")
        j.assert_entered(times=1)
