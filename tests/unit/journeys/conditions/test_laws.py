"""Laws that conditions keep for all facts."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from journeys.conditions.base import Facts
from journeys.conditions.outside import outside
from journeys.conditions.registry import Condition
from journeys.stages import Stage
from tests.support.journeys import condition, conditions, facts

some_conditions = conditions.map(condition)
lists_of_conditions = st.lists(conditions, max_size=3)


def verdict(document: dict[str, Any], known: Facts) -> bool:
    return condition(document).judge(known).holds


@given(conditions, facts)
def test_a_negation_holds_exactly_where_the_condition_does_not(one: dict[str, Any], known: Facts) -> None:
    assert verdict({"not": one}, known) is not verdict(one, known)


@given(conditions, facts)
def test_negating_twice_changes_nothing(one: dict[str, Any], known: Facts) -> None:
    assert verdict({"not": {"not": one}}, known) is verdict(one, known)


@given(lists_of_conditions, facts)
def test_all_holds_where_each_does(several: list[dict[str, Any]], known: Facts) -> None:
    assert verdict({"all": several}, known) == all(verdict(one, known) for one in several)


@given(lists_of_conditions, facts)
def test_any_holds_where_one_does(several: list[dict[str, Any]], known: Facts) -> None:
    assert verdict({"any": several}, known) == any(verdict(one, known) for one in several)


@given(lists_of_conditions, facts)
def test_all_of_them_do_not_hold_where_any_of_their_negations_does(several: list[dict[str, Any]], known: Facts) -> None:
    assert verdict({"not": {"all": several}}, known) == verdict({"any": [{"not": one} for one in several]}, known)


@given(lists_of_conditions, facts)
def test_the_order_of_conditions_changes_no_verdict(several: list[dict[str, Any]], known: Facts) -> None:
    for word in ("all", "any"):
        assert verdict({word: several}, known) == verdict({word: several[::-1]}, known)


@given(facts, st.sampled_from(["order.placed", "review.created"]), st.sampled_from(["entry", "step", "ever"]))
def test_an_absence_is_the_opposite_of_at_least_one(known: Facts, name: str, since: str) -> None:
    pattern = {"event": name, "since": since}
    assert verdict({"none": pattern}, known) is not verdict(pattern, known)


@given(some_conditions, facts)
def test_a_verdict_has_a_reason_of_bounded_length(one: Condition, known: Facts) -> None:
    found = one.judge(known)
    assert 0 < len(found.because) <= 500


@given(some_conditions, facts)
def test_only_facts_a_condition_needs_change_its_verdict(one: Condition, known: Facts) -> None:
    needs = one.needs()
    least = Facts(
        now=known.now,
        attributes=known.attributes,
        events=[event for event in known.events if event.name in needs.events],
        lists=known.lists if needs.lists else frozenset(),
        consents=known.consents if needs.consents else frozenset(),
        scores={model: points for model, points in known.scores.items() if model in needs.score_models},
        stage=known.stage if needs.stage else Stage.VISITOR,
        entry=known.entry,
        enrollment=known.enrollment,
        entry_event_id=known.entry_event_id,
        results=known.results,
        entered_at=known.entered_at,
        step_since=known.step_since,
    )
    assert one.judge(least) == one.judge(known)


@given(some_conditions)
def test_every_condition_describes_itself(one: Condition) -> None:
    assert one.describe().strip()


@given(some_conditions, facts)
def test_outside_of_a_journey_a_condition_says_the_same_without_since_and_speaks_of_no_entry(
    one: Condition, known: Facts
) -> None:
    before = replace(known, entered_at=None)
    assert outside(one).judge(before) == one.judge(before)
    assert "since" not in outside(one).describe()
    assert "since" not in one.judge(before).because
