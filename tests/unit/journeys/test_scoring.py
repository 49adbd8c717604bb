"""Points: a score is the sum of its reasons, whatever order the events come in."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.conditions.base import EventFact
from journeys.documents import from_document
from journeys.scoring import Award, PointsModel, Threshold, award, crossed, fold, reached
from kit.errors import Invalid
from tests.support.journeys import event, events

RULES = [
    {"key": "order", "event": "order.placed", "points": 10},
    {"key": "large", "event": "order.placed", "where": {"amount": {"at_least": 5}}, "points": 5},
    {"key": "first-review", "event": "review.created", "points": 7, "limit": "once"},
    {"key": "sign-up", "event": "Signed Up", "points": -3, "limit": {"times": 2, "within": "2d"}},
]


def model(**parts: Any) -> PointsModel:
    document = {"key": "purchases", "name": "Purchases", "rules": RULES, **parts}
    return from_document(PointsModel, document, name="points model")


def orders(*hours_ago: float) -> list[EventFact]:
    return [event("order.placed", hours_ago=hours, event_id=f"o-{hours}") for hours in hours_ago]


histories = st.lists(events.filter(lambda one: not isinstance(one.properties.get("amount"), str)), max_size=8)


@given(st.lists(events, max_size=8))
def test_a_score_is_the_sum_of_its_entries(history: list[EventFact]) -> None:
    score = fold(model(), history)
    assert score.points == sum(entry.points for entry in score.entries)


@given(histories, st.randoms())
def test_the_order_in_which_events_are_stored_changes_nothing(history: list[EventFact], chance: Any) -> None:
    numbered = [
        EventFact(one.name, one.occurred_at, one.properties, event_id=f"e-{number}")
        for number, one in enumerate(history)
    ]
    shuffled = list(numbered)
    chance.shuffle(shuffled)
    assert fold(model(), shuffled) == fold(model(), numbered)


@given(histories)
def test_an_event_stored_twice_counts_once(history: list[EventFact]) -> None:
    numbered = [
        EventFact(one.name, one.occurred_at, one.properties, event_id=f"e-{number}")
        for number, one in enumerate(history)
    ]
    assert fold(model(), [*numbered, *numbered]) == fold(model(), numbered)


@given(histories)
def test_awarding_one_event_after_the_other_is_the_fold(history: list[EventFact]) -> None:
    ordered = [
        EventFact(one.name, one.occurred_at, one.properties, event_id=f"e-{number}")
        for number, one in enumerate(sorted(history, key=lambda one: one.occurred_at))
    ]
    awards: list[Award] = []
    for one in sorted(ordered, key=lambda one: (one.occurred_at, one.event_id)):
        awards += award(model(), one, awards)[0]
    assert tuple(awards) == fold(model(), ordered).entries


def test_every_matching_rule_gives_its_points_and_says_for_what() -> None:
    score = fold(model(), [event("order.placed", event_id="o-1", amount=6)])
    assert score.points == 15
    assert [(entry.rule, entry.event_id, entry.points) for entry in score.entries] == [
        ("order", "o-1", 10),
        ("large", "o-1", 5),
    ]


def test_a_rule_that_counts_once_counts_the_first() -> None:
    reviews = [event("review.created", hours_ago=hours, event_id=f"r-{hours}") for hours in (1, 3, 2)]
    assert [entry.event_id for entry in fold(model(), reviews).entries] == ["r-3"]


def test_a_limit_within_a_span_counts_again_when_the_span_has_moved_on() -> None:
    signed = [event("Signed Up", hours_ago=hours, event_id=f"s-{hours}") for hours in (100, 80, 60, 51, 50)]
    counted = [entry.event_id for entry in fold(model(), signed).entries]
    # 60 hours ago two are in the last two days; 51 hours ago the first of them is 49 hours old.
    assert counted == ["s-100", "s-80", "s-51"]


def test_an_event_that_cannot_be_judged_gives_no_points_and_is_told() -> None:
    score = fold(model(), [event("order.placed", event_id="o-1", amount="a lot")])
    assert score.points == 10
    (unusable,) = score.unusable
    assert (unusable.rule, unusable.event_id) == ("large", "o-1")
    assert unusable.because == "`at_least` compares numbers, and property 'amount' is a text."


THRESHOLDS = (
    Threshold(key="loyal", points=60),
    Threshold(key="returning", points=20),
    Threshold(key="debt", points=-5),
)


@pytest.mark.parametrize(
    ("before", "after", "keys"),
    [
        (0, 19, ()),
        (0, 20, ("returning",)),
        (20, 59, ()),
        (0, 60, ("returning", "loyal")),
        (60, 0, ()),
        (60, 60, ()),
        (-10, 0, ("debt",)),
        (0, -10, ()),
    ],
)
def test_a_threshold_is_crossed_by_rising_to_it(before: int, after: int, keys: tuple[str, ...]) -> None:
    assert crossed(before, after, THRESHOLDS) == keys


def walked(path: list[int], thresholds: list[Threshold]) -> list[tuple[int, str]]:
    """What a score crosses that begins at 0 and comes to these points, one after the other: number and threshold."""
    before, standing, found = 0, frozenset[str](), []
    for number, after in enumerate(path):
        found += [(number, key) for key in crossed(before, after, thresholds, standing)]
        standing = reached(after, thresholds, reached(before, thresholds, standing))
        before = after
    return found


def armed_and_fired(path: list[int], threshold: Threshold) -> list[int]:
    """The rule for readers: it fires at its points, and is armed again below `again_below`."""
    low = threshold.points if threshold.again_below is None else threshold.again_below
    armed, found = threshold.points > 0, []
    for number, points in enumerate(path):
        if armed and points >= threshold.points:
            armed = False
            found.append(number)
        elif not armed and points < low:
            armed = True
    return found


@st.composite
def hysteretic(draw: st.DrawFn) -> Threshold:
    points = draw(st.integers(-20, 20))
    again_below = draw(st.none() | st.integers(-25, points))
    return Threshold(key=f"t{draw(st.integers(0, 10**6))}", points=points, again_below=again_below)


@given(
    st.lists(st.integers(-30, 30), max_size=30),
    st.lists(hysteretic(), max_size=4, unique_by=lambda one: one.key),
)
def test_a_threshold_is_crossed_again_only_after_a_fall_below_what_it_says(
    path: list[int], thresholds: list[Threshold]
) -> None:
    found = walked(path, thresholds)
    for one in thresholds:
        assert [number for number, key in found if key == one.key] == armed_and_fired(path, one)


@given(st.lists(st.integers(-30, 30), max_size=30), st.integers(-20, 20))
def test_again_below_the_points_themselves_is_as_good_as_none(path: list[int], points: int) -> None:
    plain, said = (Threshold(key="t", points=points, again_below=low) for low in (None, points))
    assert walked(path, [plain]) == walked(path, [said])


def test_a_score_around_a_threshold_crosses_it_once() -> None:
    path, loyal = [55, 60, 50, 65, 39, 59, 61], Threshold(key="loyal", points=60, again_below=40)
    assert walked(path, [loyal]) == [(1, "loyal"), (6, "loyal")]


def test_again_below_is_not_above_the_points() -> None:
    thresholds = [{"key": "loyal", "points": 60, "again_below": 61}]
    with pytest.raises(Invalid, match="A score of 60 points would be below 61 already"):
        model(thresholds=thresholds)


@given(st.lists(st.integers(-100, 100), min_size=2, max_size=6))
def test_rising_in_steps_crosses_what_rising_at_once_does(path: list[int]) -> None:
    rising = sorted(path)
    in_steps = [key for before, after in pairwise(rising) for key in crossed(before, after, THRESHOLDS)]
    assert tuple(in_steps) == crossed(rising[0], rising[-1], THRESHOLDS)


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"rules": [{"key": "a", "event": "x", "points": 0}]}, "rules[0]: A rule of 0 points changes nothing."),
        ({"rules": [RULES[0], RULES[0]]}, "Two rules have the key 'order'."),
        ({"thresholds": [{"key": "a", "points": 1}] * 2}, "Two thresholds have the key 'a'."),
        (
            {"rules": [{"key": "a", "event": "x", "points": 1, "where": {"id": "$entry.id"}}]},
            "rules[0]: A points rule knows no entry.",
        ),
        (
            {"rules": [{"key": "a", "event": "x", "points": 1, "limit": "twice"}]},
            "rules[0].limit: 'twice' is no limit.",
        ),
        ({"rules": []}, "rules: This is empty or too short."),
        ({"rules": [{"key": "a", "event": "x", "point": 1}]}, "Did you mean `points`?"),
    ],
    ids=str,
)
def test_a_model_that_makes_no_sense_is_refused(parts: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Invalid) as raised:
        model(**parts)
    (problem,) = raised.value.problems
    assert sentence in str(problem)


def test_a_model_names_the_events_it_needs() -> None:
    assert model().events == {"order.placed", "review.created", "Signed Up", "score.given"}
