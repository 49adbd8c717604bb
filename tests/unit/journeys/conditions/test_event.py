"""Events that happened, or did not: how many, since when, within what time."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from journeys.conditions.base import EventFact, Facts, Needs
from tests.support.journeys import ENTERED, NOW, condition, event

FACTS = Facts(now=NOW, entered_at=ENTERED, step_since=NOW - timedelta(hours=10), entry_event_id="entry")

ORDERED = {"event": "order.placed"}


def holds(document: dict[str, Any], *events: EventFact, facts: Facts = FACTS) -> bool:
    return condition(document).judge(replace(facts, events=events)).holds


def test_an_event_before_the_entry_does_not_count_since_entry() -> None:
    assert not holds({"event": "review.created"}, event("review.created", hours_ago=73))
    assert holds({"event": "review.created"}, event("review.created", hours_ago=71))
    assert holds({"event": "review.created", "since": "ever"}, event("review.created", hours_ago=73))


def test_the_entry_event_is_not_taken_for_a_second_one_of_its_kind() -> None:
    entry = event("order.placed", hours_ago=72, event_id="entry")
    twin = event("order.placed", hours_ago=72, event_id="twin")
    assert not holds({"event": "order.placed"}, entry)
    assert holds({"event": "order.placed"}, entry, twin)
    assert holds({"event": "order.placed", "since": "ever", "at_least": 2}, entry, twin)


def test_while_the_entry_event_is_unnamed_its_whole_instant_counts_as_the_entry() -> None:
    facts = replace(FACTS, entry_event_id="")
    assert not holds({"event": "order.placed"}, event("order.placed", hours_ago=72, event_id="x"), facts=facts)


@pytest.mark.parametrize("named", ["entry", ""], ids=["entered by an event", "entered over the API"])
def test_of_what_occurred_at_the_very_instant_of_the_entry_only_what_is_behind_it_in_the_log_counts(named: str) -> None:
    facts = replace(FACTS, entry_event_id=named, entry_sequence=7)
    at_entry = event("order.placed", hours_ago=72, event_id="x")
    assert [number for number in (6, 7, 8) if holds(ORDERED, replace(at_entry, sequence=number), facts=facts)] == [8]
    later = event("order.placed", hours_ago=71, event_id="x")
    assert all(holds(ORDERED, replace(later, sequence=number), facts=facts) for number in (6, 8))


def test_since_step_leaves_out_what_came_before_the_step() -> None:
    pattern = {"event": "order.placed", "since": "step"}
    assert not holds(pattern, event("order.placed", hours_ago=11))
    assert holds(pattern, event("order.placed", hours_ago=10))


def test_before_an_enrollment_exists_everything_counts() -> None:
    nobody = Facts(now=NOW)
    old = event("order.placed", hours_ago=9_000)
    for since in ("entry", "step", "ever"):
        assert holds({"event": "order.placed", "since": since}, old, facts=nobody)


def test_within_counts_back_from_the_moment_of_judgement_and_includes_its_edge() -> None:
    pattern = {"event": "order.placed", "within": "1d"}
    assert holds(pattern, event("order.placed", hours_ago=24))
    assert not holds(pattern, event("order.placed", hours_ago=24.01))


def test_an_event_that_a_hasty_clock_dates_after_now_has_happened() -> None:
    assert holds({"event": "order.placed"}, event("order.placed", hours_ago=-0.1))


@pytest.mark.parametrize(("bounds", "fitting"), [({}, {1, 2, 3}), ({"at_least": 2}, {2, 3}), ({"at_most": 2}, {1, 2})])
def test_the_number_of_events_lies_between_the_bounds(bounds: dict[str, int], fitting: set[int]) -> None:
    events = [event("order.placed", hours_ago=number) for number in (1, 2, 3)]
    held = {count for count in range(4) if holds({"event": "order.placed", **bounds}, *events[:count])}
    assert held == fitting


def test_at_most_with_at_least_zero_includes_none_at_all() -> None:
    assert holds({"event": "order.placed", "at_least": 0, "at_most": 1})


def test_only_events_with_the_properties_asked_for_count() -> None:
    facts = replace(FACTS, entry={"product_id": "cd-1"})
    pattern = {"event": "review.created", "where": {"product_id": "$entry.product_id"}}
    other, same = (event("review.created", hours_ago=1, product_id=product) for product in ("cd-2", "cd-1"))
    assert not holds(pattern, other, facts=facts)
    assert holds(pattern, other, same, facts=facts)
    assert holds({"none": pattern}, other, facts=facts)
    assert not holds({"none": pattern}, same, facts=facts)


def test_the_reason_names_count_and_date_and_the_cause_is_the_latest_event() -> None:
    events = (event("order.placed", hours_ago=5, event_id="a"), event("order.placed", hours_ago=2, event_id="b"))
    verdict = condition({"event": "order.placed", "at_least": 2}).judge(replace(FACTS, events=events[::-1]))
    assert verdict.because == "2 order.placed since entry, the latest on 2026-06-10 10:00 UTC; asked: at least 2"
    assert verdict.cause_event_id == "b"


def test_what_breaks_an_absence_is_its_cause() -> None:
    pattern = {"none": {"event": "review.created", "where": {"stars": 5}}}
    events = (event("review.created", hours_ago=2, event_id="a", stars=5), event("review.created", event_id="b"))
    verdict = condition(pattern).judge(replace(FACTS, events=events))
    assert not verdict.holds
    assert verdict.because == "review.created with stars as asked happened on 2026-06-10 10:00 UTC"
    assert verdict.cause_event_id == "a"


def test_an_absence_that_holds_says_since_when() -> None:
    verdict = condition({"none": {"event": "review.created", "within": "2d"}}).judge(FACTS)
    assert verdict.holds
    assert verdict.because == "no review.created since entry within 2 days"
    assert verdict.cause_event_id is None


def test_only_the_events_named_are_needed() -> None:
    both = condition({"all": [{"event": "a"}, {"not": {"none": {"event": "b"}}}]})
    assert both.needs() == Needs(events=frozenset({"a", "b"}))
