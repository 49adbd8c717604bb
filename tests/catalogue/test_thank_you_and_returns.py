"""The shipped journey `thank-you-and-returns`."""

from cli.testing.journey import OpenJourney

ORDER = {"order_id": "o-1", "product_name": "Blue Train"}


async def test_a_return_is_explained_at_once_and_its_arrival_told(journey: OpenJourney) -> None:
    async with journey("thank-you-and-returns", contact={"first_name": "Ada"}) as j:
        await j.event("delivery.completed", ORDER)
        await j.advance(days=4)
        assert "Blue Train" in j.assert_sent("thank-you", at="Tue 10:00").text
        await j.event("return.requested", ORDER)
        j.assert_sent("return-instructions", at="Fri 10:00")
        await j.advance(days=5)
        await j.event("return.received", ORDER)
        j.assert_sent("return-received")
        await j.event("refund.paid", ORDER)
        j.assert_ended("goal_met")
        j.assert_not_sent("return-reminder")


async def test_who_returns_on_the_first_day_is_not_thanked_first(journey: OpenJourney) -> None:
    async with journey("thank-you-and-returns") as j:
        await j.event("delivery.completed", ORDER)
        await j.advance(hours=2)
        await j.event("return.requested", ORDER)
        j.assert_sent("return-instructions", at="Mon 12:00")
        j.assert_not_sent("thank-you")


async def test_who_keeps_it_hears_nothing_more(journey: OpenJourney) -> None:
    async with journey("thank-you-and-returns") as j:
        await j.event("delivery.completed", ORDER)
        await j.finish()
        j.assert_sent("thank-you", times=1)
        j.assert_not_sent("return-instructions")
        j.assert_ended("exited", reason="keeps it", at="2026-07-02 10:00")


async def test_a_return_that_does_not_come_is_reminded_of_once(journey: OpenJourney) -> None:
    async with journey("thank-you-and-returns") as j:
        await j.event("delivery.completed", ORDER)
        await j.event("return.requested", ORDER)
        await j.finish()
        j.assert_sent("return-reminder", at="2026-06-15 10:00", times=1)
        j.assert_ended("exited", reason="never came")


async def test_a_deleted_contact_is_not_thanked(journey: OpenJourney) -> None:
    async with journey("thank-you-and-returns") as j:
        await j.event("delivery.completed", ORDER)
        await j.event("contact.deleted")
        j.assert_ended("exited", at="Mon 10:00")
        j.assert_not_sent()
