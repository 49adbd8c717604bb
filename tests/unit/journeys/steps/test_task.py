"""`task`: what is written, what becomes of it, and whose tasks an enrollment means."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.models.event import Event
from intake.matching import Passage, match
from journeys.checks import check
from journeys.conditions.base import EventFact, Facts
from journeys.moments import CalendarMoment, WindowMoment
from journeys.plan import compile_plan
from journeys.simulate import example_entry
from journeys.steps.task import TaskNode
from journeys.tasks import filled, named_in
from kit.errors import Invalid
from tests.support.journeys import condition, journey

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
CALL: dict[str, Any] = {"id": "call", "task": {"title": "Call about $entry.order_id.", "due": "2d"}}


def rules(*steps: dict[str, Any], **parts: Any) -> list[tuple[str, str]]:
    return [(one.rule, one.problem.where) for one in check(journey(steps=list(steps), **parts), None)]


def test_what_is_not_said_has_a_usual_value() -> None:
    node = compile_plan(journey(steps=[CALL]), 1).nodes["call"]
    assert isinstance(node, TaskNode)
    assert (node.task_kind, node.owner, node.due, node.at_end) == ("todo", "owner", timedelta(days=2), "keep")
    assert [(one.event, one.properties) for one in node.causes()] == [("task.created", {"kind": "todo"})]


@pytest.mark.parametrize(("due", "kind"), [("1 day at 09:00", CalendarMoment), ("next_window", WindowMoment)])
def test_it_may_be_due_at_a_moment_of_the_calendar(due: str, kind: type) -> None:
    plan = compile_plan(journey(steps=[{"id": "call", "task": {**CALL["task"], "due": due}}]), 1)
    node = type(plan).model_validate(plan.model_dump(mode="json", exclude_defaults=True)).nodes["call"]
    assert isinstance(node, TaskNode)
    assert isinstance(node.due, kind)


@pytest.mark.parametrize("due", [{"until": "2026-12-24 09:00"}, {"on": "$entry.starts_at"}])
def test_a_date_is_no_time_a_task_is_due(due: Any) -> None:
    with pytest.raises(Invalid) as raised:
        journey(steps=[{"task": {"title": "Call", "due": due}}])
    (problem,) = raised.value.problems
    assert str(problem) == (
        "steps[0].task.due: This is no time a task can be due. Write 2d, 1 day at 09:00 or next_window."
    )


def test_a_task_without_time_or_without_the_window_it_names_is_found() -> None:
    assert rules({"task": {"title": "Call", "due": "0d"}}) == [("no-time", "steps[0].task.due")]
    assert rules({"task": {"title": "Call", "due": "next_window"}}) == [("no-window", "steps[0].task.due")]


def test_a_text_that_names_what_the_entry_does_not_have_is_found() -> None:
    by_date = {"date": {"of": "birthday", "at": "09:00", "yearly": True}}
    assert ("entry-property-unknown", "steps[0].task.title") in rules(CALL, entry=by_date)
    assert ("entry-without-event", "steps[0].task.title") in rules(CALL, entry={})


@pytest.mark.parametrize(
    ("text", "entry", "read"),
    [
        ("Call about $entry.order_id.", {"order_id": "A-1"}, "Call about A-1."),
        ("$entry.a$entry.b", {"a": 1, "b": True}, "1True"),
        ("To $entry.address.city, please", {"address": {"city": "Bonn"}}, "To Bonn, please"),
        ("About $entry.order_id", {}, "About …"),
        ("About $entry.items", {"items": [1]}, "About …"),
        ("Costs 5 $ more", {}, "Costs 5 $ more"),
        ("$entry.a", {"a": "$entry.b", "b": "never"}, "$entry.b"),
    ],
)
def test_texts_are_filled_in_with_the_entry(text: str, entry: dict[str, Any], read: str) -> None:
    assert filled(text, entry) == read


def test_a_simulation_gives_the_entry_what_texts_name() -> None:
    assert named_in(CALL["task"]["title"]) == ("order_id",)
    assert example_entry(journey(steps=[CALL])) == {"order_id": "example order_id"}


WHERES: tuple[dict[str, str], ...] = (
    {},
    {"step": "call"},
    {"journey": "other"},
    {"enrollment": "theirs"},
    {"task": "t-1"},
)


@given(
    st.sampled_from(["task.done", "task.created", "order.placed"]),
    st.sampled_from(WHERES),
    st.fixed_dictionaries(
        {},
        optional={
            "step": st.sampled_from(["call", "write"]),
            "journey": st.sampled_from(["small", "other"]),
            "enrollment": st.sampled_from(["own", "theirs"]),
            "task": st.sampled_from(["t-1", "t-2"]),
        },
    ),
)
def test_waits_and_conditions_mean_the_same_tasks(name: str, where: dict[str, str], properties: dict[str, str]) -> None:
    awaited = {"event": name, "where": where}
    plan = compile_plan(journey(steps=[{"wait_for": {**awaited, "up_to": "5d"}}]), 1)
    passage = Passage(plan, {}, NOW - timedelta(days=1), entry_sequence=1, enrollment="own")
    event = Event(sequence=2, event_id="e", name=name, properties=properties, occurred_at=NOW)
    facts = Facts(now=NOW, events=[EventFact(name, NOW, properties, "e")], enrollment="own")
    waits = bool(match(event, passage).criteria)

    assert waits is condition(awaited).judge(facts).holds
    fits = all(properties.get(key) == value for key, value in where.items())
    foreign = name.startswith("task.") and properties.get("enrollment") == "theirs"
    says_whose = bool({"journey", "enrollment", "task"} & set(where))
    assert waits is (fits and (says_whose or not foreign))


def test_a_task_that_nobody_makes_is_not_waited_for() -> None:
    def awaited(step: str, **where: str) -> dict[str, Any]:
        return {"wait_for": {"event": "task.done", "where": {"step": step, **where}, "up_to": "5d"}}

    assert rules(CALL, awaited("call")) == []
    assert rules(CALL, awaited("write", journey="other")) == []
    assert rules(CALL, awaited("cal")) == [("unknown-task", "steps[1].wait_for.where.step")]
    asked = {"if": {"none": {"event": "task.done", "where": {"step": "x"}}}, "then": [{"wait": "1d"}]}
    assert rules(CALL, asked) == [("unknown-task", "steps[1].if.none.where.step")]
    goal = {"type": "serve", "event": "task.done", "where": {"step": "x"}, "within": "9d"}
    assert rules(CALL, goal=goal) == [("unknown-task", "goal.where.step")]
    first = {"wait_for": {"first_of": [{"event": "task.done", "where": {"step": "x"}}], "up_to": "5d"}}
    assert rules(CALL, first) == [("unknown-task", "steps[1].wait_for.first_of[0].where.step")]
