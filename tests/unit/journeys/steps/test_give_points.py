"""`score`: points with a reason, under a model there is; they stay in the sum whatever else is counted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.checks import check
from journeys.conditions.base import EventFact
from journeys.plan import compile_plan
from journeys.rules.others import Others
from journeys.scoring import MOST_POINTS, SCORE_GIVEN, PointsModel, fold
from journeys.steps.give_points import ScoreNode
from kit.errors import Invalid
from tests.support.journeys import NOW, journey

GIVEN = {"model": "purchases", "add": 10, "reason": "Came to the evening."}
MODEL = PointsModel.model_validate(
    {"key": "purchases", "name": "P", "rules": [{"key": "order", "event": "order.placed", "points": 3}]}
)


def found(models: set[str] | None, *steps: dict[str, Any], all_known: bool = True) -> list[tuple[str, str, str]]:
    beside = None if models is None else Others(models=dict.fromkeys(models, frozenset()), all_known=all_known)
    findings = check(journey(steps=list(steps)), None, beside=beside)
    return [(one.severity.value, one.rule, one.problem.where) for one in findings]


def test_a_step_gives_or_takes_points_and_may_lead_over_a_threshold() -> None:
    node = compile_plan(journey(steps=[{"id": "came", "score": {**GIVEN, "add": -5}}]), 1).nodes["came"]
    assert isinstance(node, ScoreNode)
    assert (node.model, node.add, node.reason) == ("purchases", -5, "Came to the evening.")
    assert [one.event for one in node.causes()] == ["score.given", "score.crossed"]


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"add": 0}, "steps[0].score"),
        ({"add": 1.5}, "steps[0].score.add"),
        ({"add": MOST_POINTS + 1}, "steps[0].score.add"),
        ({"reason": ""}, "steps[0].score.reason"),
    ],
)
def test_points_need_a_number_and_a_reason(changed: dict[str, Any], where: str) -> None:
    with pytest.raises(Invalid) as raised:
        journey(steps=[{"score": {**GIVEN, **changed}}])
    assert [problem.where for problem in raised.value.problems] == [where]


@pytest.mark.parametrize(
    "step",
    [{"score": GIVEN}, {"if": {"score": {"model": "purchases", "at_least": 1}}, "then": [{"wait": "1d"}]}],
    ids=["given", "asked for"],
)
def test_an_unknown_model_is_an_error_where_all_are_known_and_else_a_doubt(step: dict[str, Any]) -> None:
    place = "steps[0].score.model" if "score" in step else "steps[0].if.score.model"
    assert found({"purchases"}, step) == []
    assert found(None, step) == []
    assert found({"purchase"}, step) == [("error", "unknown-model", place)]
    assert found({"purchase"}, step, all_known=False) == [("warning", "unknown-model", place)]


def test_the_finding_names_the_model_that_was_meant() -> None:
    (finding,) = check(journey(steps=[{"score": GIVEN}]), None, beside=Others(models={"purchase": frozenset()}))
    assert finding.problem.remedy == "Did you mean 'purchase'?"


gifts = st.builds(
    lambda number, points, model: EventFact(SCORE_GIVEN, NOW, {"model": model, "points": points}, f"given-{number}"),
    st.integers(0, 20),
    st.one_of(st.integers(-20, 20), st.booleans(), st.none(), st.just("5"), st.just(MOST_POINTS + 1)),
    st.sampled_from(["purchases", "other"]),
)


@given(st.lists(gifts, max_size=6, unique_by=lambda event: event.event_id), st.integers(0, 3))
def test_the_score_is_what_events_and_journeys_gave(given_: list[EventFact], orders: int) -> None:
    placed = [EventFact("order.placed", NOW, {}, f"order-{number}") for number in range(orders)]
    score = fold(MODEL, [*given_, *placed])

    usable = [
        event.properties["points"]
        for event in given_
        if event.properties["model"] == "purchases"
        and type(event.properties["points"]) is int
        and 0 < abs(event.properties["points"]) <= MOST_POINTS
    ]
    assert score.points == sum(usable) + 3 * orders == sum(entry.points for entry in score.entries)
    assert {entry.rule for entry in score.entries} <= {SCORE_GIVEN, "order"}
