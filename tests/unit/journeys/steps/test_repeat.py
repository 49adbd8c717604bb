"""`repeat`: bounded rounds through some steps."""

from typing import Any

import pytest

from journeys.checks import check
from journeys.plan import compile_plan
from journeys.steps.repeat import RepeatNode
from kit.errors import Invalid
from tests.support.journeys import journey

PAUSE = {"id": "pause", "wait": "1d"}
MAIL = {"id": "mail", "send": {"template": "voucher"}}


def repeat(times: int, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"repeat": {"times": times, "steps": list(steps), **more}}


def rules(*steps: dict[str, Any]) -> list[str]:
    return [finding.rule for finding in check(journey(steps=list(steps)), None)]


def refusal(step: dict[str, Any]) -> str:
    with pytest.raises(Invalid) as raised:
        journey(steps=[step])
    return str(raised.value.problems[0])


def test_the_end_of_a_round_leads_back_to_the_repeat() -> None:
    step = {"id": "loop", **repeat(3, MAIL, PAUSE, until={"in_list": "vip"})}
    plan = compile_plan(journey(steps=[step, {"id": "behind", "wait": "1d"}]), 1)
    node = plan.nodes["loop"]
    assert isinstance(node, RepeatNode)
    assert (node.body, node.next) == ("mail", "behind")
    assert plan.nodes["pause"].next == "loop"
    assert [(way.to, way.result, way.at_most) for way in node.ways()] == [
        ("mail", "", 3),
        ("behind", "fulfilled", None),
        ("behind", "done", None),
    ]


def test_a_branch_within_a_round_leads_back_on_every_way() -> None:
    fork = {"id": "fork", "if": {"in_list": "vip"}, "then": [PAUSE]}
    plan = compile_plan(journey(steps=[{"id": "loop", **repeat(3, fork)}]), 1)
    assert {way.to for way in plan.nodes["fork"].ways()} == {"pause", "loop"}
    assert plan.nodes["pause"].next == "loop"


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ({"repeat": {"steps": [PAUSE]}}, "steps[0].repeat.times: `times` is missing. Add `times`."),
        (repeat(0, PAUSE), "steps[0].repeat.times: 0 is too small. Write 1 or more."),
        (repeat(101, PAUSE), "steps[0].repeat.times: 101 is too large. Write 100 or less."),
        (repeat(3), "steps[0].repeat.steps: This is empty or too short. Give at least 1."),
    ],
    ids=str,
)
def test_a_repeat_is_bounded_and_has_steps(step: dict[str, Any], sentence: str) -> None:
    assert refusal(step) == sentence


def test_repeats_within_each_other_are_bounded_together() -> None:
    assert not rules(repeat(10, repeat(100, PAUSE)))
    assert rules(repeat(11, repeat(100, PAUSE))) == ["too-many-rounds"]
    assert rules(repeat(10, repeat(10, repeat(11, PAUSE)))) == ["too-many-rounds"]
    assert not rules(repeat(100, PAUSE), repeat(100, {"wait": "1d"}))


def test_messages_that_would_leave_all_at_once_are_told() -> None:
    assert rules(repeat(3, MAIL)) == ["rounds-without-time"]
    assert not rules(repeat(3, MAIL, PAUSE))
    assert not rules(repeat(3, {"if": {"in_list": "vip"}, "then": [MAIL, PAUSE]}))
    assert not rules(repeat(3, {"recompute_score": "lead"}))


def test_a_wait_that_an_event_of_an_earlier_round_fulfils_is_told() -> None:
    view = {"event": "page.viewed", "up_to": "1d"}
    assert rules(repeat(3, {"wait_for": view})) == ["event-of-earlier-round"]
    assert not rules({"wait_for": view})
    assert not rules(repeat(3, {"wait_for": {**view, "since": "step"}}))
    several = {"first_of": [{"event": "a", "since": "step"}, {"event": "b"}], "up_to": "1d"}
    (finding,) = check(journey(steps=[repeat(3, {"wait_for": several})]), None)
    assert finding.problem.where == "steps[0].repeat.steps[0].wait_for.first_of[1]"


def test_until_may_ask_for_a_result_of_an_earlier_round() -> None:
    asked = {"id": "asked", "wait_for": {"event": "x", "up_to": "1d", "since": "step"}}
    until = {"result": {"step": "asked", "is": "arrived"}}
    assert not rules(repeat(3, asked, until=until))
    first = {"if": {"result": {"step": "asked", "is": "timed_out"}}, "then": [MAIL]}
    assert not rules(repeat(3, first, asked))


def test_its_results_are_done_and_with_a_condition_fulfilled() -> None:
    def asking(word: str, **more: Any) -> list[str]:
        ask = {"if": {"result": {"step": "loop", "is": word}}, "then": [{"wait": "1d"}]}
        return rules({"id": "loop", **repeat(3, PAUSE, **more)}, ask)

    assert asking("done") == asking("fulfilled", until={"in_list": "vip"}) == []
    assert asking("fulfilled") == ["impossible-result"]
