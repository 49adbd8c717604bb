"""What a journey refers to outside of itself: other journeys, points models, thresholds."""

from typing import Any

import pytest

from journeys.checks import Others, check
from journeys.findings import Finding, Severity
from tests.support.journeys import journey

OTHERS = Others(frozenset({"welcome"}), {"purchases": frozenset({"loyal"})}, all_known=True)
CROSSED = {"event": "score.crossed", "where": {"model": "purchases", "threshold": "loyal"}}


def crossed(**where: Any) -> dict[str, Any]:
    return {**CROSSED, "where": {**CROSSED["where"], **where}}  # type: ignore[dict-item]


def findings(others: Others | None = OTHERS, **parts: Any) -> list[Finding]:
    rules = {"unknown-journey", "unknown-model", "unknown-threshold"}
    return [finding for finding in check(journey(**parts), None, beside=others) if finding.rule in rules]


STARTS = {"steps": [{"start": {"journey": "welcom"}}]}
REFERENCES: list[tuple[str, str, dict[str, Any]]] = [
    ("unknown-journey", "steps[0].start.journey", STARTS),
    (
        "unknown-journey",
        "entry.where.journey",
        {"entry": {"event": "journey.goal_met", "where": {"journey": "gone"}}},
    ),
    (
        "unknown-journey",
        "steps[0].journey",
        {"steps": [{"wait_for": {"event": "journey.completed", "where": {"journey": "gone"}, "up_to": "1d"}}]},
    ),
    ("unknown-journey", "exit[0].where.journey", {"exit": [{"event": "journey.exited", "where": {"journey": "gone"}}]}),
    ("unknown-model", "steps[0].recompute_score", {"steps": [{"recompute_score": "gone"}]}),
    ("unknown-model", "entry.where.model", {"entry": crossed(model="gone")}),
    ("unknown-model", "exit[0].where.model", {"exit": [crossed(model="gone")]}),
    (
        "unknown-model",
        "entry.audience.not.score.model",
        {"entry": {"event": "a", "audience": {"not": {"score": {"model": "gone", "at_least": 1}}}}},
    ),
    (
        "unknown-model",
        "steps[0].if.none.where.model",
        {"steps": [{"if": {"none": crossed(model="gone")}, "then": [{"wait": "1d"}]}]},
    ),
    ("unknown-model", "steps[0].model", {"steps": [{"wait_for": {**crossed(model="gone"), "up_to": "1d"}}]}),
    ("unknown-threshold", "entry.where.threshold", {"entry": crossed(threshold="royal")}),
    ("unknown-threshold", "goal.where.threshold", {"goal": {"type": "sell", **crossed(threshold="royal")}}),
]


@pytest.mark.parametrize(("rule", "place", "parts"), REFERENCES, ids=[f"{rule}-{at}" for rule, at, _ in REFERENCES])
def test_what_does_not_exist_is_an_error_with_its_place(rule: str, place: str, parts: dict[str, Any]) -> None:
    (finding,) = findings(**parts)
    assert (finding.rule, finding.problem.where, finding.severity) == (rule, place, Severity.ERROR)
    assert finding.problem.remedy


@pytest.mark.parametrize(
    "parts",
    [
        {"steps": [{"start": {"journey": "welcome"}}]},
        {"steps": [{"recompute_score": "purchases"}]},
        {"entry": CROSSED},
        {"entry": {"event": "score.crossed"}},
        {"entry": {"event": "order.placed", "where": {"model": "t-34", "journey": "to the moon"}}},
        {"entry": {"event": "a"}, "exit": [crossed(model="$entry.model")]},
        {"key": "me", "entry": {"event": "journey.goal_met", "where": {"journey": "me"}}},
    ],
    ids=["journey", "model", "crossed", "any crossing", "other events", "a reference", "itself"],
)
def test_what_exists_or_cannot_be_known_is_none(parts: dict[str, Any]) -> None:
    assert not findings(**parts)


def test_where_not_everything_is_known_it_is_doubtful_and_with_nothing_known_nothing_is_said() -> None:
    (finding,) = findings(Others(OTHERS.journeys, OTHERS.models), **STARTS)
    assert finding.severity is Severity.WARNING
    assert str(finding) == "warning: steps[0].start.journey: There is no journey 'welcom'. Did you mean 'welcome'?"
    assert not findings(None, **STARTS)
