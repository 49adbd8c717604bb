"""Steps that lead different ways, walked with a pretended contact: conditions, waits, rounds, arms, answers, goals."""

from typing import Any

from cli.testing.journey import OpenJourney

PAID = {"event": "invoice.paid"}


def tried(*steps: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {
        "key": "tried",
        "name": "Tried",
        "owner": "tests",
        "entry": {"event": "order.placed"},
        "steps": list(steps),
        **parts,
    }


def noted(value: Any) -> dict[str, Any]:
    return {"set": {"way": value}}


async def test_the_first_branch_that_holds_is_taken(journey: OpenJourney) -> None:
    kind = {
        "branch": [
            {"if": {"attribute": "plan", "is": "pro"}, "then": [noted("pro")]},
            {"if": {"event": "order.placed", "since": "ever", "at_least": 2}, "then": [noted("regular")]},
        ],
        "else": [noted("new")],
    }
    for contact, orders, way in (({"plan": "pro"}, 2, "pro"), ({}, 2, "regular"), ({}, 1, "new")):
        async with journey(tried({"wait": "1h"}, kind), contact=contact) as j:
            for _ in range(orders):
                await j.event("order.placed")
            await j.finish()
            j.assert_attribute("way", way)


async def test_a_condition_is_waited_for_and_its_end_is_found_by_time_alone(journey: OpenJourney) -> None:
    quiet = {"none": {"event": "page.viewed", "within": "3d", "since": "ever"}}
    step = {"wait_for": {"condition": quiet, "up_to": "30d"}, "then": [noted("quiet")]}
    async with journey(tried(step), start="2026-06-01 10:00") as j:
        await j.event("page.viewed")
        await j.advance(days=1)
        await j.event("order.placed")
        await j.advance(days=1)
        await j.event("page.viewed")
        await j.finish()
        j.assert_attribute("way", "quiet")
        j.assert_ended(at="Sat 10:00")  # three days after the second view, which was on Wednesday


async def test_a_change_of_an_attribute_ends_a_wait_for_it(journey: OpenJourney) -> None:
    step = {
        "wait_for": {
            "first_of": [
                {"condition": {"attribute": "plan", "is": "pro"}, "then": [noted("pro")]},
                {"event": "trial.ended", "then": [noted("ended")]},
            ],
            "up_to": "45d",
        }
    }
    async with journey(tried(step)) as j:
        await j.event("order.placed")
        await j.event("contact.identified", {"plan": "free"})
        await j.advance(days=2)
        await j.event("contact.identified", {"plan": "pro"})
        j.assert_attribute("way", "pro")
        j.assert_ended("completed")


async def test_the_best_of_several_is_taken_at_the_end_of_the_time(journey: OpenJourney) -> None:
    step = {
        "wait_for": {
            "first_of": [
                {"event": "bought", "then": [noted("bought")]},
                {"event": "looked", "then": [noted("looked")]},
            ],
            "up_to": "3d",
            "ranked": True,
        }
    }
    async with journey(tried(step), start="2026-06-01 10:00") as j:
        await j.event("order.placed")
        await j.event("looked")
        await j.advance(days=1)
        await j.event("bought")
        await j.finish()
        j.assert_attribute("way", "bought")
        j.assert_ended(at="Thu 10:00")


async def test_reminders_are_repeated_until_it_is_paid(journey: OpenJourney) -> None:
    loop = {
        "repeat": {
            "times": 3,
            "until": PAID,
            "steps": [
                {"send": {"template": "review-request"}},
                {"wait_for": {**PAID, "since": "step", "up_to": "7d"}},
            ],
        }
    }
    async with journey(tried(loop)) as j:
        await j.event("order.placed")
        await j.advance(days=8)
        j.assert_sent("review-request", times=2)
        await j.event("invoice.paid")
        j.assert_ended("completed")
        j.assert_sent("review-request", times=2)
    async with journey(tried(loop)) as j:
        await j.event("order.placed")
        await j.finish()
        j.assert_sent("review-request", times=3)


async def test_an_approval_is_answered_or_passes(journey: OpenJourney) -> None:
    step = {
        "approve": {"by": "sales", "question": "20 % off?", "up_to": "3d"},
        "then": [noted("yes")],
        "rejected": [noted("no")],
        "else": [noted("nobody")],
    }
    async with journey(tried(step)) as j:
        await j.event("order.placed")
        await j.approve()
        j.assert_attribute("way", "yes")
    async with journey(tried(step)) as j:
        await j.event("order.placed")
        await j.reject()
        j.assert_attribute("way", "no")
    async with journey(tried(step)) as j:
        await j.event("order.placed")
        await j.finish()
        j.assert_attribute("way", "nobody")


async def test_a_split_goes_one_way_and_a_start_is_noted(journey: OpenJourney) -> None:
    arms = {name: {"share": 50, "steps": [noted(name)]} for name in ("a", "b")}
    steps = ({"split": {"experiment": "x", "arms": arms}}, {"id": "next", "start": {"journey": "care"}})
    async with journey(tried(*steps)) as j:
        await j.event("order.placed")
        j.assert_ended("completed")
        assert j.attributes["way"] in {"a", "b"}


async def test_a_goal_that_is_only_counted_lets_the_journey_go_on(journey: OpenJourney) -> None:
    goal = {"type": "sell", "event": "bought", "exit": False}
    async with journey(tried({"wait": "3d"}, noted("through"), goal=goal)) as j:
        await j.event("order.placed")
        await j.event("bought")
        await j.finish()
        j.assert_attribute("way", "through")


async def test_whoever_has_met_the_goal_before_does_not_enter(journey: OpenJourney) -> None:
    goal = {"type": "sell", "event": "bought", "met_before": "90d"}
    async with journey(tried({"wait": "3d"}, goal=goal)) as j:
        await j.event("bought")
        await j.advance(days=1)
        await j.event("order.placed")
        j.assert_not_entered(reason="goal_already_met")


async def test_the_goal_pulls_the_contact_over_to_steps_of_its_own(journey: OpenJourney) -> None:
    goal = {"type": "sell", "event": "invoice.paid", "then": [{"wait": "1d"}, noted("thanked")]}
    async with journey(tried({"wait": "30d"}, noted("asked"), goal=goal), start="2026-06-01 10:00") as j:
        await j.event("order.placed")
        await j.advance(days=3)
        await j.event("invoice.paid")
        j.assert_waiting(at="wait-2", until="Fri 10:00")
        await j.finish()
        j.assert_attribute("way", "thanked")
        j.assert_not_reached("set-1")
        j.assert_ended("goal_met", reason="invoice.paid", at="Fri 10:00")


async def test_an_exit_cuts_the_steps_behind_the_goal_short(journey: OpenJourney) -> None:
    goal = {"type": "sell", "event": "invoice.paid", "then": [{"wait": "1d"}, noted("thanked")]}
    async with journey(tried({"wait": "30d"}, goal=goal, exit={"event": "order.refunded"})) as j:
        await j.event("order.placed")
        await j.event("invoice.paid")
        await j.event("order.refunded")
        j.assert_ended("goal_met", reason="order.refunded")
        j.assert_not_reached("set-1")
