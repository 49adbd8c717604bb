"""The shipped journey `lead-nurturing`."""

from cli.testing.journey import OpenJourney

INTEREST = {"topic": "turntables"}


async def test_three_contents_come_over_three_weeks(journey: OpenJourney) -> None:
    async with journey("lead-nurturing", contact={"first_name": "Ada", "locale": "en"}) as j:
        await j.event("interest.shown", INTEREST)
        await j.finish()
        assert "Ada" in j.assert_sent("nurture-first-turntable", at="2026-06-01 10:00").text
        j.assert_sent("nurture-setting-up", at="2026-06-08 10:00")
        j.assert_sent("nurture-listening", at="2026-06-22 10:00")
        j.assert_ended("completed", at="2026-07-22 10:00")


async def test_who_asks_for_a_demonstration_is_out_of_it_at_once(journey: OpenJourney) -> None:
    async with journey("lead-nurturing") as j:
        await j.event("interest.shown", INTEREST)
        await j.advance(days=3)
        await j.event("demo.requested")
        j.assert_ended("goal_met", at="Thu 10:00")
        j.assert_not_sent("nurture-setting-up")


async def test_what_was_read_already_is_not_sent(journey: OpenJourney) -> None:
    read = {"event": "content.viewed", "ago": "10d", "properties": {"content": "setting-up"}}
    async with journey("lead-nurturing", contact={"history": [read]}) as j:
        await j.event("interest.shown", INTEREST)
        await j.finish()
        j.assert_not_sent("nurture-setting-up")
        j.assert_sent("nurture-listening")


async def test_who_has_bought_a_turntable_is_not_taught_to_choose_one(journey: OpenJourney) -> None:
    bought = {"event": "order.placed", "ago": "400d", "properties": {"category": "turntables"}}
    async with journey("lead-nurturing", contact={"history": [bought]}) as j:
        await j.event("interest.shown", INTEREST)
        j.assert_not_entered(reason="audience")
