"""`start`: what it hands on, and what is said of it before publishing."""

from typing import Any

from journeys.checks import check
from journeys.plan import compile_plan
from journeys.steps.start import StartNode
from tests.support.journeys import journey


def rules(start: dict[str, Any], **parts: Any) -> list[str]:
    return [finding.rule for finding in check(journey(steps=[{"start": start}], **parts), None)]


def test_it_hands_on_what_is_written() -> None:
    start = {"journey": "care", "entry_key": "$entry.order_id", "properties": {"seats": 3}}
    plan = compile_plan(journey(steps=[{"id": "go", "start": start}]), 1)
    assert plan.nodes["go"] == StartNode(
        kind="start", journey="care", entry_key="$entry.order_id", properties={"seats": 3}
    )
    (caused,) = plan.nodes["go"].causes()
    assert (caused.event, caused.properties) == ("journey.start_requested", {"journey": "care"})


def test_references_to_the_entry_are_checked_where_they_stand() -> None:
    assert rules({"journey": "care", "properties": {"x": "$entry"}}) == ["malformed-reference"]
    assert rules({"journey": "care", "entry_key": "$entry.x"}, entry={}) == ["entry-without-event"]
    assert not rules({"journey": "care", "properties": {"x": "$entry.x"}})


def test_a_journey_that_starts_itself_is_told_unless_it_may_run_side_by_side() -> None:
    assert rules({"journey": "small"}) == ["starts-itself"]
    assert not rules({"journey": "small", "entry_key": "x"}, entry={"event": "x", "again": {"per": "key"}})
