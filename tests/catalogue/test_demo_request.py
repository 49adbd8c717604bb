"""The shipped journey `demo-request`: whoever asks is answered within a day, and it is seen to that they are."""

import pytest

from cli.testing.journey import OpenJourney

REQUEST = {"product": "Planar 2", "wishes": "Jazz, Saturdays"}


async def test_who_is_accepted_by_sales_is_handed_over(journey: OpenJourney) -> None:
    async with journey("demo-request", contact={"first_name": "Ada", "locale": "en"}) as j:
        await j.event("demo.requested", REQUEST)
        assert "Planar 2" in j.assert_sent("demo-confirmation", at="Mon 10:00").text
        j.assert_stage("mql")
        call = j.assert_task("call", title='"Planar 2"', owner="sales", due="2026-06-02 10:00")
        assert "Jazz, Saturdays" in call.details
        await j.advance(hours=5)
        await j.complete_task("call", outcome="accepted")
        j.assert_stage("sql")
        j.assert_ended("completed", at="Mon 15:00")
        j.assert_no_task("escalate")


async def test_what_sales_does_not_take_up_within_a_day_goes_to_the_head_of_sales(journey: OpenJourney) -> None:
    async with journey("demo-request") as j:
        await j.event("demo.requested", REQUEST)
        await j.advance(hours=25)
        j.assert_task("escalate", title="Nobody has called", owner="head-of-sales", due="2026-06-02 14:00")
        await j.complete_task("escalate", outcome="accepted")
        j.assert_stage("sql")
        j.assert_task("call", state="cancelled")
        j.assert_not_sent("demo-choose-time")


async def test_a_request_of_the_weekend_is_confirmed_at_once_and_a_task_of_monday(journey: OpenJourney) -> None:
    async with journey("demo-request", start="2026-06-06 20:00") as j:
        await j.event("demo.requested", REQUEST)
        j.assert_sent("demo-confirmation", at="Sat 20:00")
        j.assert_no_task()
        await j.advance_to("2026-06-08 10:30")
        j.assert_task("call", due="2026-06-09 10:00")


async def test_a_day_that_ends_when_the_shop_is_closed_lasts_until_it_opens(journey: OpenJourney) -> None:
    async with journey("demo-request", start="2026-06-06 17:00") as j:
        await j.event("demo.requested", REQUEST)
        await j.advance_to("2026-06-08 09:30")
        j.assert_no_task("escalate")
        await j.complete_task("call", outcome="accepted")
        await j.advance(hours=1)
        j.assert_no_task("escalate")
        j.assert_stage("sql")


async def test_where_nobody_calls_at_all_the_contact_is_told_and_not_forgotten(journey: OpenJourney) -> None:
    async with journey("demo-request") as j:
        await j.event("demo.requested", REQUEST)
        await j.finish()
        j.assert_sent("demo-choose-time", at="Thu 10:00")
        j.assert_in_list("needs-a-call")
        j.assert_stage("mql")
        j.assert_ended("exited", reason="nobody has called")


@pytest.mark.parametrize(("before", "after"), [("visitor", "lead"), ("customer", "customer")])
async def test_who_is_rejected_is_a_lead_again_with_contents_to_read(
    journey: OpenJourney, before: str, after: str
) -> None:
    async with journey("demo-request", contact={"stage": before}) as j:
        await j.event("demo.requested", REQUEST)
        await j.complete_task("call", outcome="rejected")
        j.assert_stage(after)
        j.assert_in_list("nurture")
        j.assert_result("nurture", "started")
        j.assert_ended("completed")


async def test_who_could_not_be_reached_may_choose_a_time(journey: OpenJourney) -> None:
    async with journey("demo-request") as j:
        await j.event("demo.requested", REQUEST)
        await j.complete_task("call", outcome="not reached")
        j.assert_sent("demo-choose-time", times=1)
        j.assert_stage("mql")


async def test_who_cancels_is_not_called(journey: OpenJourney) -> None:
    async with journey("demo-request") as j:
        await j.event("demo.requested", REQUEST)
        await j.event("demo.cancelled")
        j.assert_ended("exited")
        j.assert_task("call", state="cancelled")


async def test_an_order_meets_the_goal_and_asking_again_while_somebody_is_at_it_changes_nothing(
    journey: OpenJourney,
) -> None:
    async with journey("demo-request") as j:
        await j.event("demo.requested", REQUEST)
        await j.event("demo.requested", REQUEST)
        j.assert_entered(times=1)
        await j.event("order.placed", {"category": "turntables"})
        j.assert_ended("goal_met")
