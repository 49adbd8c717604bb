"""The plan of a test run: marked, as the draft says, and quicker where asked."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.model import Journey
from journeys.plan import Plan, compile_plan
from journeys.steps.split import SplitNode
from journeys.tryout import plan_of_test
from kit.errors import Invalid
from tests.support.journeys import documents

MINUTE = timedelta(minutes=1)
SPLIT = {
    "split": {
        "experiment": "subject",
        "arms": {"a": {"share": 50, "steps": [{"send": {"template": "a"}}]}, "b": {"share": 50}},
        "winner": {"after": 30},
    }
}


def planned(*steps: dict[str, Any], **parts: Any) -> Plan:
    document = {"key": "hello", "name": "Hello", "owner": "crm", "entry": {}, "steps": list(steps)}
    return compile_plan(Journey.model_validate(document | parts), 4)


@given(documents, st.one_of(st.none(), st.sampled_from([timedelta(seconds=1), MINUTE])))
def test_a_test_walks_the_same_ways_and_no_wait_is_longer_than_asked(document: Any, waits: timedelta | None) -> None:
    plan = compile_plan(Journey.model_validate(document), 4)
    tried = plan_of_test(plan, waits=waits)
    read = Plan.model_validate(tried.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    assert read == tried
    assert (tried.version, tried.start, tried.name) == (4, plan.start, f"[Test] {plan.name}")
    for step, node in tried.nodes.items():
        assert {way.to for way in node.ways()} <= {way.to for way in plan.nodes[step].ways()}
        planned_wait = node.planned_wait()
        assert waits is None or planned_wait is None or planned_wait <= waits
        assert waits is None or node.kind != "wait_until"
    assert {one.step for one in tried.criteria.values()} <= {None, *tried.nodes}


def test_without_haste_only_the_name_differs() -> None:
    plan = planned({"wait": "3d"}, {"wait": "1 day at 09:00"}, window={"from": "08:00", "to": "20:00"})
    assert plan_of_test(plan).model_copy(update={"name": plan.name}) == plan


def test_in_haste_a_moment_has_come_and_the_window_is_open() -> None:
    plan = planned(
        {"id": "morning", "wait": "1 day at 09:00"},
        {"id": "short", "wait": "10s"},
        {"id": "answer", "approve": {"by": "crm", "up_to": "3d"}},
        {"id": "paid", "wait_for": {"event": "paid", "up_to": "3d"}},
        window={"from": "08:00", "to": "20:00"},
    )
    tried = plan_of_test(plan, waits=MINUTE)
    morning = tried.nodes["morning"].model_dump()
    assert (morning["kind"], morning["duration"], morning["result"]) == ("wait", "1m", "due")
    assert tried.nodes["short"] == plan.nodes["short"]
    assert tried.nodes["answer"].planned_wait() == tried.nodes["paid"].planned_wait() == MINUTE
    assert tried.window is None
    assert "moved:morning:contact" in plan.criteria
    assert "moved:morning:contact" not in tried.criteria


def test_a_chosen_arm_is_gone_and_a_winner_is_neither_sought_nor_followed() -> None:
    plan = planned(SPLIT)
    chosen, drawn = plan_of_test(plan, arms={"subject": "b"}).nodes["split-1"], plan_of_test(plan).nodes["split-1"]
    assert isinstance(chosen, SplitNode)
    assert isinstance(drawn, SplitNode)
    assert (chosen.shares(), drawn.shares()) == ({"b": 100}, {"a": 50, "b": 50})
    assert chosen.winner is drawn.winner is None


@pytest.mark.parametrize(
    ("arms", "what"),
    [
        ({"subject": "c"}, "'subject' has no arm 'c'. Its arms are a, b."),
        ({"colour": "a"}, "The draft has no experiment 'colour'. It has subject."),
    ],
)
def test_an_arm_that_is_not_there_is_named_with_those_that_are(arms: dict[str, str], what: str) -> None:
    with pytest.raises(Invalid) as refused:
        plan_of_test(planned(SPLIT), arms=arms)
    assert what in str(refused.value.problems[0])
