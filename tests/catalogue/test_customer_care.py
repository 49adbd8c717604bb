"""The shipped journey `customer-care`."""

from cli.testing.journey import OpenJourney

TURNTABLE = {"kind": "turntable", "product_id": "t-1", "product_name": "Merkur 2"}


async def test_help_comes_when_it_is_of_use_over_a_year(journey: OpenJourney) -> None:
    async with journey("customer-care", contact={"first_name": "Ada"}) as j:
        await j.event("product.registered", TURNTABLE)
        await j.finish()
        assert "Merkur 2" in j.assert_sent("care-first-days", at="2026-06-05 18:00").text
        j.assert_sent("care-cleaning", at="2026-09-05 10:00")
        j.assert_sent("care-stylus", at="2027-06-05 10:00")
        j.assert_ended("completed")


async def test_a_returned_turntable_needs_no_care_another_one_does(journey: OpenJourney) -> None:
    async with journey("customer-care") as j:
        await j.event("product.registered", TURNTABLE)
        await j.event("product.registered", {**TURNTABLE, "product_id": "t-2"})
        await j.event("product.returned", {"product_id": "t-1"})
        j.assert_ended("exited", at="Mon 10:00")
        await j.finish()
        j.assert_sent("care-first-days", times=1)


async def test_who_has_a_cleaning_kit_is_not_told_to_clean(journey: OpenJourney) -> None:
    kit = {"event": "order.placed", "ago": "30d", "properties": {"category": "cleaning"}}
    async with journey("customer-care", contact={"history": [kit]}) as j:
        await j.event("product.registered", TURNTABLE)
        await j.finish()
        j.assert_not_sent("care-cleaning")
        j.assert_sent("care-stylus")


async def test_a_stylus_that_was_checked_is_the_goal(journey: OpenJourney) -> None:
    async with journey("customer-care") as j:
        await j.event("product.registered", TURNTABLE)
        await j.advance(days=200)
        await j.event("service.booked", {"product_id": "t-1"})
        j.assert_ended("goal_met")
        j.assert_not_sent("care-stylus")
