from journeys.plan import Plan
from workflows.messages import compact_plan


def test_a_compact_plan_is_the_same_plan(plan: Plan) -> None:
    assert Plan.model_validate(compact_plan(plan)) == plan


def test_a_compact_plan_leaves_out_what_goes_without_saying(plan: Plan) -> None:
    compact = compact_plan(plan)
    assert "window" not in compact
    assert compact["nodes"]["request"] == {"kind": "send", "template": "request"}
