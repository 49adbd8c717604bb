"""`approve`: three ways, and a time that must be stated."""

from typing import Any

import pytest

from journeys.checks import check
from journeys.plan import compile_plan
from journeys.steps.approve import ApproveNode
from kit.errors import Invalid
from tests.support.journeys import journey

ASKED = {"by": "sales", "question": "Grant it?", "up_to": "3d"}
STEP: dict[str, Any] = {
    "id": "asked",
    "approve": ASKED,
    "then": [{"id": "yes", "wait": "1d"}],
    "rejected": [{"id": "no", "wait": "1d"}],
}


def test_each_answer_has_a_way_and_so_has_none() -> None:
    plan = compile_plan(journey(steps=[STEP, {"id": "behind", "wait": "1d"}]), 1)
    node = plan.nodes["asked"]
    assert isinstance(node, ApproveNode)
    assert [(way.result, way.to) for way in node.ways()] == [
        ("approved", "yes"),
        ("rejected", "no"),
        ("timed_out", "behind"),
    ]
    assert (node.skipped_to(), node.planned_wait()) == ("behind", node.up_to)
    assert plan.nodes["yes"].next == plan.nodes["no"].next == "behind"


def test_there_is_no_approval_without_end() -> None:
    with pytest.raises(Invalid) as raised:
        journey(steps=[{"approve": {"by": "sales"}}])
    assert str(raised.value.problems[0]) == "steps[0].approve.up_to: `up_to` is missing. Add `up_to`."
    (finding,) = check(journey(steps=[{"approve": {**ASKED, "up_to": "0d"}}]), None)
    assert (finding.rule, finding.problem.where) == ("no-time", "steps[0].approve.up_to")
