"""Plans: every step a node, every id unique and lasting, every way an end."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from journeys.checks import check
from journeys.documents import journey_from_document
from journeys.model import Journey
from journeys.plan import Plan, Role, authored_ids, compile_plan, named
from journeys.steps.decide import IfNode
from journeys.steps.leave import ExitNode
from journeys.steps.registry import Node, Step
from journeys.steps.wait_for import WaitForNode
from tests.support.journeys import SMALL, documents, journey, steps


def followers(node: Node) -> list[str]:
    """The ids a node may go on at."""
    return [way.to for way in node.ways() if way.to is not None]


def onward(node: Node) -> list[str]:
    """The ids a node may go on at without beginning another round, of which there are so many at most."""
    return [way.to for way in node.ways() if way.to is not None and way.at_most is None]


def reachable(plan: Plan) -> set[str]:
    """The ids of the nodes some way leads to."""
    found, open_ends = set[str](), [plan.start, *([plan.after_goal] if plan.after_goal else [])]
    while open_ends:
        step = open_ends.pop()
        if step not in found:
            found.add(step)
            open_ends += followers(plan.nodes[step])
    return found


def all_steps(made: Journey) -> list[Step]:
    """Those of the journey, and those behind its goal."""
    return [*made.steps, *(made.goal.then if made.goal else ())]


def ids_in(made: Journey) -> list[str]:
    """The ids of the steps, given and derived, in document order; those behind the goal last."""
    usual, after_goal = named(made)
    return authored_ids([*usual, *after_goal])


def with_unique_ids(document: dict[str, Any]) -> dict[str, Any]:
    ids = authored_ids(all_steps(journey_from_document(document)))
    assume(len(ids) == len(set(ids)))
    return document


valid = documents.map(with_unique_ids)


@given(valid)
def test_every_way_leads_to_a_node_that_exists(document: dict[str, Any]) -> None:
    plan = compile_plan(journey_from_document(document), 1)
    assert {way for node in plan.nodes.values() for way in followers(node)} <= set(plan.nodes)


@given(valid)
def test_a_node_that_no_way_leads_to_is_reported(document: dict[str, Any]) -> None:
    made = journey_from_document(document)
    plan = compile_plan(made, 1)
    reported = any(finding.rule == "unreachable-step" for finding in check(made, None))
    assert reported == (reachable(plan) != set(plan.nodes))


@given(valid)
def test_no_way_goes_in_circles_but_the_rounds_of_a_repeat(document: dict[str, Any]) -> None:
    plan = compile_plan(journey_from_document(document), 1)
    order = {step: number for number, step in enumerate(authored_order(plan))}
    assert all(order[way] > order[step] for step, node in plan.nodes.items() for way in onward(node))


def authored_order(plan: Plan) -> list[str]:
    """The ids so that each comes before those it may go on at, or an error where that cannot be."""
    ordered: list[str] = []
    remaining = dict(plan.nodes)
    while remaining:
        waited_for = {way for node in remaining.values() for way in onward(node)}
        free = sorted(set(remaining) - waited_for)
        assert free, "the plan goes in circles"
        ordered += free
        for step in free:
            del remaining[step]
    return ordered


@given(valid)
def test_every_step_has_one_node_under_its_own_id(document: dict[str, Any]) -> None:
    made = journey_from_document(document)
    plan = compile_plan(made, 1)
    ids = ids_in(made)
    assert sorted(ids) == sorted(plan.nodes)
    assert set(authored_ids(all_steps(made))) <= set(ids)


@given(valid, st.lists(steps, min_size=1, max_size=2))
def test_steps_appended_at_the_end_leave_all_earlier_ids_as_they_are(
    document: dict[str, Any], more: list[dict[str, Any]]
) -> None:
    before = authored_ids(named(journey_from_document(document)).usual)
    longer = {**document, "steps": [*document["steps"], *more]}
    after = authored_ids(named(journey_from_document(with_unique_ids(longer))).usual)
    # An id the author now uses himself is the one reason to derive another.
    taken = set(authored_ids(journey_from_document({**SMALL, "steps": more}).steps))
    assume(not taken & set(before))
    assert after[: len(before)] == before


@given(valid, st.sampled_from([{}, {"exclude_defaults": True}, {"by_alias": True, "exclude_defaults": True}]))
def test_a_plan_survives_the_way_through_json(document: dict[str, Any], how: dict[str, Any]) -> None:
    plan = compile_plan(journey_from_document(document), 3)
    assert Plan.model_validate(plan.model_dump(mode="json", **how)) == plan


def test_derived_ids_count_each_kind_in_document_order() -> None:
    branch = {"if": {"in_list": "vip"}, "then": [{"wait": "1d"}], "else": [{"send": {"template": "x"}}]}
    last = {"wait_for": {"event": "x", "up_to": "1d"}}
    plan = compile_plan(journey(steps=[{"wait": "1d"}, branch, {"wait": "2d"}, last]), 1)
    assert set(plan.nodes) == {"wait-1", "if-1", "wait-2", "send-1", "wait-3", "wait-for-1"}
    assert plan.nodes["wait-2"].next == plan.nodes["send-1"].next == "wait-3"


def test_a_derived_id_makes_way_for_one_the_author_uses() -> None:
    plan = compile_plan(journey(steps=[{"wait": "1d"}, {"id": "wait-1", "wait": "2d"}]), 1)
    assert list(plan.nodes) == ["wait-2", "wait-1"]


def test_an_empty_branch_goes_on_behind_the_if() -> None:
    branch = {"id": "asked", "if": {"in_list": "vip"}, "then": [{"id": "inside", "wait": "1d"}]}
    plan = compile_plan(journey(steps=[branch, {"id": "behind", "wait": "1d"}]), 1)
    asked = plan.nodes["asked"]
    assert isinstance(asked, IfNode)
    assert (asked.next, asked.otherwise) == ("inside", "behind")
    assert plan.nodes["inside"].next == "behind"


def test_an_exit_has_nothing_behind_it() -> None:
    plan = compile_plan(journey(steps=[{"id": "out", "exit": "enough"}, {"wait": "1d"}]), 1)
    assert isinstance(plan.nodes["out"], ExitNode)
    assert plan.nodes["out"].next is None


def test_a_plan_listens_for_goal_exits_and_awaited_events_from_the_start() -> None:
    plan = compile_plan(
        journey(
            goal={"type": "sell", "event": "order.placed", "within": "30d"},
            exit=[{"event": "contact.deleted"}, {"event": "order.refunded", "where": {"order_id": "$entry.order_id"}}],
            steps=[{"id": "asked", "wait_for": {"event": "review.created", "up_to": "2d"}}],
        ),
        1,
    )
    assert plan.listens == {"order.placed", "contact.deleted", "order.refunded", "review.created"}
    assert {name: criterion.role for name, criterion in plan.criteria.items()} == {
        "goal": Role.GOAL,
        "exit:1": Role.EXIT,
        "exit:2": Role.EXIT,
        "step:asked": Role.STEP,
    }
    awaited = plan.nodes["asked"]
    assert isinstance(awaited, WaitForNode)
    assert plan.criteria[awaited.criterion].step == "asked"


def test_the_version_is_a_positive_number() -> None:
    with pytest.raises(ValueError):
        compile_plan(journey(), 0)
