"""`split`: arms, shares, and what is said of an experiment before publishing."""

from typing import Any

import pytest

from journeys.checks import check
from journeys.plan import compile_plan
from journeys.steps.split import SplitNode
from kit.errors import Invalid
from tests.support.journeys import journey

GOAL = {"type": "sell", "event": "order.placed", "within": "30d"}


def split(experiment: str = "length", **shares: int) -> dict[str, Any]:
    shares = shares or {"long": 50, "short": 50}
    arms = {name: {"share": share, "steps": [{"id": f"in-{name}", "wait": "1d"}]} for name, share in shares.items()}
    return {"split": {"experiment": experiment, "arms": arms}}


def with_winner(**rule: Any) -> dict[str, Any]:
    step = split()
    return {"split": {**step["split"], "winner": {"after": 1_000, **rule}}}


def refusal(step: dict[str, Any]) -> str:
    with pytest.raises(Invalid) as raised:
        journey(steps=[step])
    return str(raised.value.problems[0])


def rules(*steps: dict[str, Any], **parts: Any) -> list[str]:
    return [finding.rule for finding in check(journey(steps=list(steps), **parts), None)]


def test_each_arm_is_a_way_and_a_skip_goes_past_all() -> None:
    plan = compile_plan(journey(steps=[{"id": "drawn", **split(a=70, b=30)}, {"id": "behind", "wait": "1d"}]), 1)
    node = plan.nodes["drawn"]
    assert isinstance(node, SplitNode)
    assert [(way.when, way.to, way.result) for way in node.ways()] == [
        ("arm 'a' (70 %)", "in-a", "a"),
        ("arm 'b' (30 %)", "in-b", "b"),
    ]
    assert node.shares() == {"a": 70, "b": 30}
    assert node.skipped_to() == plan.nodes["in-a"].next == "behind"


def test_an_arm_may_do_nothing() -> None:
    step = {"id": "drawn", "split": {"experiment": "x", "arms": {"a": {"share": 50}, "b": {"share": 50}}}}
    plan = compile_plan(journey(steps=[step, {"id": "behind", "wait": "1d"}]), 1)
    assert {way.to for way in plan.nodes["drawn"].ways()} == {"behind"}


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (split(a=50, b=40), "steps[0].split: The shares of the arms make 90, not 100."),
        (split(a=99, b=1, c=1), "steps[0].split: The shares of the arms make 101, not 100."),
        (
            {"split": {"experiment": "x", "arms": {"a": {"share": 99}}}},
            "steps[0].split.arms: This is empty or too short.",
        ),
        (split(a=100, b=0), "steps[0].split.arms.a.share: 100 is too large. Write 99 or less."),
        (with_winner(after=29), "steps[0].split.winner.after: 29 is too small. Write 30 or more."),
        (with_winner(confidence=0.5), "steps[0].split.winner.confidence: 0.5 is too small. Write more than 0.5."),
        (with_winner(confidence=1), "steps[0].split.winner.confidence: 1 is too large. Write less than 1."),
        (with_winner(goal=False), "steps[0].split.winner.goal: "),
    ],
    ids=str,
)
def test_what_is_no_experiment_is_refused(step: dict[str, Any], sentence: str) -> None:
    assert refusal(step).startswith(sentence)


def test_its_results_are_its_arms() -> None:
    def asking(word: str) -> list[str]:
        ask = {"if": {"result": {"step": "drawn", "is": word}}, "then": [{"wait": "1d"}]}
        return rules({"id": "drawn", **split()}, ask)

    assert asking("long") == asking("short") == []
    assert asking("middle") == ["impossible-result"]


def test_a_winner_needs_a_goal_with_an_end() -> None:
    assert rules(with_winner()) == ["comparison-without-goal"]
    assert rules(with_winner(), goal={**GOAL, "within": None}) == ["goal-without-end"]
    assert not rules(with_winner(), goal=GOAL)
    assert not rules(split())


def test_one_experiment_has_the_same_arms_wherever_it_stands() -> None:
    first, other = split(a=50, b=50), split(a=60, b=40)
    for number, arm in enumerate(other["split"]["arms"].values()):
        arm["steps"] = [{"id": f"other-{number}", "wait": "1d"}]
    assert rules(first, other) == ["experiment-differs"]
    assert not rules(first, {"split": {**other["split"], "experiment": "another"}})


def test_steps_behind_arms_that_all_leave_are_unreachable() -> None:
    leaving = {name: {"share": 50, "steps": [{"exit": name}]} for name in "ab"}
    assert rules({"split": {"experiment": "x", "arms": leaving}}, {"wait": "1d"}) == ["unreachable-step"]
