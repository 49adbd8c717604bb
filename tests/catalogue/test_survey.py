"""The shipped journey `survey`."""

from cli.testing.journey import OpenJourney

DELIVERY = {"order_id": "o 1"}


async def test_a_good_answer_ends_it_at_once(journey: OpenJourney) -> None:
    async with journey("survey", contact={"first_name": "Ada"}) as j:
        await j.event("delivery.completed", DELIVERY)
        await j.advance(days=12)
        assert "order=o+1&amp;score=10" in j.assert_sent("survey", at="2026-06-11 10:00").html
        await j.event("survey.answered", {**DELIVERY, "score": 9})
        j.assert_ended("goal_met")
        j.assert_not_in_list("needs-a-call")


async def test_a_low_answer_puts_the_contact_on_the_list_of_those_to_be_called(journey: OpenJourney) -> None:
    async with journey("survey") as j:
        await j.event("delivery.completed", DELIVERY)
        await j.advance(days=12)
        await j.event("survey.answered", {**DELIVERY, "score": 3})
        j.assert_in_list("needs-a-call")
        j.assert_task("call", title="order o 1", owner="service", due="2026-06-14 10:00")
        j.assert_ended("completed")
        j.assert_not_sent("survey-reminder")


async def test_who_does_not_answer_is_reminded_once(journey: OpenJourney) -> None:
    async with journey("survey") as j:
        await j.event("delivery.completed", DELIVERY)
        await j.finish()
        j.assert_sent("survey", times=1)
        j.assert_sent("survey-reminder", at="2026-06-16 10:00", times=1)
        j.assert_ended("exited", reason="did not answer")
        j.assert_not_in_list("needs-a-call")


async def test_who_returns_the_order_is_not_asked(journey: OpenJourney) -> None:
    async with journey("survey") as j:
        await j.event("delivery.completed", DELIVERY)
        await j.advance(days=3)
        await j.event("return.requested", DELIVERY)
        j.assert_ended("exited", at="Thu 10:00")
        j.assert_not_sent()


async def test_nobody_is_asked_about_two_orders_in_a_row(journey: OpenJourney) -> None:
    async with journey("survey") as j:
        await j.event("delivery.completed", DELIVERY)
        await j.finish()
        await j.event("delivery.completed", {"order_id": "o-2"})
        j.assert_not_entered(reason="cooling_down")
