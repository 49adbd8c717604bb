"""Lifecycle stages: their order, the one rule of moving, and what a step and a condition make of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.checks import check
from journeys.plan import Role, compile_plan
from journeys.stages import Stage, StageMove, move_to
from journeys.steps.change_stage import StageNode
from kit.errors import Invalid
from tests.support.journeys import condition, facts, journey, stages

orders = st.lists(stages, max_size=20)


def test_they_go_from_visitor_to_evangelist() -> None:
    assert " ".join(Stage) == "visitor lead mql sql opportunity customer evangelist"


@given(stages, orders)
def test_automation_never_moves_anybody_back(current: Stage, wanted: list[Stage]) -> None:
    for to in wanted:
        move = move_to(current, to, back=False)
        after = to if move is StageMove.CHANGED else current
        assert after.rank >= current.rank
        assert (move is StageMove.KEPT) is (to.rank < current.rank)
        current = after
    assert all(current.rank >= to.rank for to in wanted)


@given(stages, stages)
def test_a_step_back_that_is_asked_for_is_made(current: Stage, to: Stage) -> None:
    assert move_to(current, to, back=True) is (StageMove.UNCHANGED if to is current else StageMove.CHANGED)


def test_a_step_is_written_as_a_word_or_in_full() -> None:
    back = {"to": "lead", "recycle": True, "reason": "Rejected by sales."}
    plan = compile_plan(journey(steps=[{"id": "up", "stage": "mql"}, {"id": "down", "stage": back}]), 1)
    up, down = plan.nodes["up"], plan.nodes["down"]
    assert isinstance(up, StageNode)
    assert isinstance(down, StageNode)
    assert (up.to, up.recycle) == (Stage.MQL, False)
    assert (down.to, down.recycle, down.reason) == (Stage.LEAD, True, "Rejected by sales.")
    assert [(one.event, one.properties) for one in up.causes()] == [("stage.changed", {"to": "mql"})]


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (
            "leed",
            (
                "steps[0].stage: 'leed' is no lifecycle stage. "
                "Write one of visitor, lead, mql, sql, opportunity, customer, evangelist."
            ),
        ),
        (
            {"to": "lead", "recycle": True},
            "steps[0].stage: A step back needs a `reason`. Say in a sentence why contacts are moved back here.",
        ),
    ],
)
def test_what_is_wrong_with_a_step_is_said(written: Any, problem: str) -> None:
    with pytest.raises(Invalid) as raised:
        journey(steps=[{"stage": written}])
    assert [str(one) for one in raised.value.problems] == [problem]


@pytest.mark.parametrize(
    ("asked", "fitting"),
    [
        ({"is": "customer"}, "customer"),
        ({"at_least": "opportunity"}, "opportunity customer evangelist"),
        ({"at_most": "lead"}, "visitor lead"),
        ({"at_least": "mql", "at_most": "sql"}, "mql sql"),
        ({"one_of": ["lead", "evangelist"]}, "lead evangelist"),
    ],
)
def test_a_condition_asks_in_the_order_of_stages(asked: dict[str, Any], fitting: str) -> None:
    made = condition({"stage": asked})
    assert " ".join(stage for stage in Stage if made.stage.fits(stage)) == fitting  # type: ignore[union-attr]


@given(facts, stages)
def test_at_least_and_at_most_together_are_exactly_it(known: Any, stage: Stage) -> None:
    both = {"all": [{"stage": {"at_least": stage.value}}, {"stage": {"at_most": stage.value}}]}
    assert condition(both).judge(known).holds is condition({"stage": {"is": stage.value}}).judge(known).holds


def test_a_condition_without_a_question_is_refused() -> None:
    with pytest.raises(Invalid, match="asks nothing of the stage"):
        condition({"stage": {}})


def test_a_journey_is_filed_by_stages_each_named_once() -> None:
    assert journey(stages=["lead", "customer"]).stages == (Stage.LEAD, Stage.CUSTOMER)
    with pytest.raises(Invalid, match="The stage 'lead' is named twice"):
        journey(stages=["lead", "lead"])


def test_a_range_of_stages_that_holds_none_is_found() -> None:
    asked = {"if": {"stage": {"at_least": "customer", "at_most": "lead"}}, "then": [{"wait": "1d"}]}
    (finding,) = check(journey(steps=[asked]), None)
    assert (finding.rule, finding.problem.where) == ("impossible-range", "steps[0].if.stage")
    assert finding.problem.what == "Nothing is at least customer and at most lead."


def test_a_wait_for_a_stage_is_woken_by_its_change() -> None:
    awaited = {"wait_for": {"condition": {"stage": {"at_least": "sql"}}, "up_to": "30d"}}
    plan = compile_plan(journey(steps=[{"id": "ready", **awaited}]), 1)
    looks = [one for one in plan.criteria.values() if one.role is Role.LOOK]
    assert [(one.event, one.step) for one in looks] == [("stage.changed", "ready")]
