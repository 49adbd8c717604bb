"""`branch`: ordered ways, each with a name, and one for everybody else that cannot be forgotten."""

from typing import Any

import pytest

from journeys.checks import check
from journeys.conditions.in_list import ListCondition
from journeys.plan import compile_plan
from journeys.steps.branch import BranchNode, BranchWay
from kit.errors import Invalid
from tests.support.journeys import journey
from tests.unit.journeys.steps.conftest import MailWarnings

CONSENT = {"consent": {"purpose": "marketing"}}


def branch(*branches: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "kind", "branch": list(branches), "else": [], **more}


def refusal(step: dict[str, Any]) -> str:
    with pytest.raises(Invalid) as raised:
        journey(steps=[step])
    return str(raised.value.problems[0])


def test_each_way_leads_into_its_steps_and_on_behind_them() -> None:
    step = branch(
        {"name": "vip", "if": {"in_list": "vip"}, "then": [{"id": "gift", "wait": "1d"}]},
        {"if": {"in_list": "regular"}},
        **{"else": [{"id": "wake", "wait": "1d"}]},
    )
    plan = compile_plan(journey(steps=[step, {"id": "behind", "wait": "1d"}]), 1)
    node = plan.nodes["kind"]
    assert isinstance(node, BranchNode)
    assert node.branches == (
        BranchWay(name="vip", condition=ListCondition(in_list="vip"), next="gift"),
        BranchWay(name="2", condition=ListCondition(in_list="regular"), next="behind"),
    )
    assert node.otherwise == node.skipped_to() == "wake"
    assert plan.nodes["gift"].next == plan.nodes["wake"].next == "behind"
    assert [way.when for way in node.ways()] == ["branch 'vip'", "branch '2'", "otherwise"]


def test_the_way_of_everybody_else_must_be_written() -> None:
    step = {"branch": [{"if": {"in_list": "vip"}}]}
    assert refusal(step) == "steps[0].else: `else` is missing. Add `else`."


def test_branches_have_different_names_and_none_is_called_else() -> None:
    vip = {"name": "vip", "if": {"in_list": "vip"}}
    assert "Two branches are called 'vip'. Give one of them another name." in refusal(branch(vip, vip))
    assert "A branch is called 'else'" in refusal(branch({**vip, "name": "else"}))


def test_a_misspelt_key_in_a_branch_is_told_at_its_place() -> None:
    assert refusal(branch({"iff": {"in_list": "vip"}})).startswith("steps[0].branch[0].iff: `iff` is not a key")


@pytest.mark.parametrize(("word", "known"), [("vip", True), ("2", True), ("else", True), ("3", False), ("yes", False)])
def test_its_results_are_the_names_the_numbers_and_else(word: str, *, known: bool) -> None:
    asking = {"if": {"result": {"step": "kind", "is": word}}, "then": [{"wait": "1d"}]}
    step = branch({"name": "vip", "if": {"in_list": "vip"}, "then": [{"wait": "1d"}]}, {"if": {"in_list": "x"}})
    assert [finding.rule for finding in check(journey(steps=[step, asking]), None)] == (
        [] if known else ["impossible-result"]
    )


def test_steps_within_a_branch_are_named_in_document_order() -> None:
    step = branch(
        {"if": {"in_list": "a"}, "then": [{"wait": "1d"}]}, {"if": {"in_list": "b"}, "then": [{"wait": "2d"}]}
    )
    plan = compile_plan(journey(steps=[step, {"wait": "3d"}]), 1)
    assert set(plan.nodes) == {"kind", "wait-1", "wait-2", "wait-3"}
    assert plan.nodes["wait-1"].next == plan.nodes["wait-2"].next == "wait-3"


def test_a_consent_asked_for_by_a_branch_counts_within_it_alone(mail_warnings: MailWarnings) -> None:
    mail = {"send": {"template": "voucher"}}
    assert mail_warnings([branch({"if": CONSENT, "then": [mail]})]) == []
    assert mail_warnings([branch({"if": CONSENT}, **{"else": [mail]})]) == ["steps[0].else[0].send.template"]


def test_a_consent_that_every_way_past_a_branch_has_asked_for_counts_behind_it(mail_warnings: MailWarnings) -> None:
    mail = {"send": {"template": "voucher"}}
    both = {"all": [CONSENT, {"in_list": "vip"}]}
    assert mail_warnings([branch({"if": both}, {"if": CONSENT}, **{"else": [{"exit": "no consent"}]}), mail]) == []
    assert mail_warnings([branch({"if": both}, {"if": CONSENT}), mail]) == ["steps[1].send.template"]


def test_steps_behind_a_branch_of_which_all_ways_leave_are_unreachable() -> None:
    leaving = branch({"if": {"in_list": "a"}, "then": [{"exit": "x"}]}, **{"else": [{"exit": "y"}]})
    behind = {"wait": "1d"}
    assert [finding.rule for finding in check(journey(steps=[leaving, behind]), None)] == ["unreachable-step"]
