"""Stages, tasks and points, walked with a pretended contact."""

from typing import Any

import pytest

from cli.testing.journey import OpenJourney
from kit.errors import NotFound


def tried(*steps: dict[str, Any], **parts: Any) -> dict[str, Any]:
    entry = {"event": "order.placed", "again": {"per": "order_id"}}
    return {"key": "tried", "name": "Tried", "owner": "crm", "entry": entry, "steps": list(steps), **parts}


def noted(value: Any) -> dict[str, Any]:
    return {"set": {"way": value}}


CALL: dict[str, Any] = {"id": "call", "task": {"title": "Call about $entry.order_id", "for": "sales", "due": "2d"}}
CALLED: dict[str, Any] = {
    "id": "called",
    "wait_for": {
        "first_of": [
            {"name": "sold", "event": "task.done", "where": {"step": "call", "outcome": "sold"}},
            {"name": "other", "event": "task.done", "where": {"step": "call"}},
        ],
        "up_to": "5d",
    },
    "else": [{"exit": "nobody has called"}],
}


async def test_an_enrollment_waits_for_its_own_task_though_the_contact_is_in_it_twice(journey: OpenJourney) -> None:
    async with journey(tried(CALL, CALLED)) as j:
        await j.event("order.placed", {"order_id": "a"})
        await j.event("order.placed", {"order_id": "b"})
        j.assert_task("call", title="about a", owner="sales", due="Wed 10:00")
        await j.complete_task("call", "sold")  # the newest: that of the second order
        j.assert_task("call", title="about b", state="done")
        j.assert_task("call", title="about a")
        j.assert_result("called", "sold")
        await j.finish()
        j.assert_result("called", "timed_out", at="Sat 10:00")  # the other order's
        j.assert_task("call", title="about a")


async def test_a_task_done_before_it_is_waited_for_is_not_missed(journey: OpenJourney) -> None:
    async with journey(tried(CALL, {"wait": "1d"}, CALLED)) as j:
        await j.event("order.placed", {"order_id": "a"})
        await j.complete_task("call")
        await j.finish()
        j.assert_result("called", "other", at="Tue 10:00")


async def test_what_came_of_a_task_can_be_asked(journey: OpenJourney) -> None:
    asked = {"if": {"event": "task.done", "where": {"step": "call", "outcome": "sold"}}, "then": [noted("sold")]}
    async with journey(tried(CALL, {"wait": "1d"}, asked)) as j:
        await j.event("order.placed", {"order_id": "a"})
        await j.complete_task("call", "sold")
        await j.finish()
        j.assert_attribute("way", "sold")


async def test_no_task_is_done_that_was_not_made(journey: OpenJourney) -> None:
    async with journey(tried({"wait": "1d"}, CALL)) as j:
        await j.event("order.placed", {"order_id": "a"})
        with pytest.raises(NotFound):
            await j.complete_task("call")
        j.assert_no_task()
        with pytest.raises(AssertionError, match="The step 'call' has made no open task"):
            j.assert_task("call")


async def test_a_task_is_told_in_the_timeline(journey: OpenJourney) -> None:
    async with journey(tried(CALL)) as j:
        await j.event("order.placed", {"order_id": "a"})
        assert "TASK for sales: Call about a" in j.timeline()
        with pytest.raises(AssertionError, match="has made a task"):
            j.assert_no_task()


async def test_a_change_of_stage_ends_a_wait_for_it_and_starts_what_listens(journey: OpenJourney) -> None:
    ready = {"wait_for": {"condition": {"stage": {"at_least": "sql"}}, "up_to": "30d"}, "then": [noted("sql")]}
    entry = {"event": "stage.changed", "where": {"to": "lead"}}
    contact = {"stage": "mql"}
    back = {"stage": {"to": "lead", "recycle": True, "reason": "Rejected."}}
    first = tried(back, {"stage": "visitor"}, {"stage": "sql"}, {"stage": "sql"}, ready)
    async with journey(first, contact=contact) as j:
        await j.event("order.placed", {"order_id": "a"})
        for step, result in (
            ("stage-1", "changed"),
            ("stage-2", "kept"),
            ("stage-3", "changed"),
            ("stage-4", "unchanged"),
        ):
            j.assert_result(step, result)
        j.assert_attribute("way", "sql")
        j.assert_stage("sql")
        with pytest.raises(AssertionError, match="stage is sql, not lead"):
            j.assert_stage("lead")
    async with journey(tried({"wait": "1d"}, entry=entry)) as j:
        await j.event("stage.changed", {"from": "visitor", "to": "lead"})
        j.assert_entered()


async def test_points_that_are_given_count_at_once(journey: OpenJourney) -> None:
    came = {"score": {"model": "purchases", "add": 60, "reason": "Came."}}
    asked = {"if": {"score": {"model": "purchases", "at_least": 60}}, "then": [noted("loyal")]}
    crossed = {"wait_for": {"event": "score.crossed", "where": {"threshold": "loyal"}, "up_to": "1d"}}
    steps = (came, asked, {"id": "risen", **crossed})
    async with journey(tried(*steps, entry={"event": "page.viewed"})) as j:
        await j.event("page.viewed")
        j.assert_attribute("way", "loyal")
        j.assert_result("risen", "arrived")
        j.assert_ended("completed")


async def test_points_under_no_model_need_attention(journey: OpenJourney) -> None:
    async with journey(tried({"id": "came", "score": {"model": "none", "add": 1, "reason": "Came."}})) as j:
        await j.event("order.placed", {"order_id": "a"})
        j.assert_needs_attention(at="came", because="No points model none is live")
