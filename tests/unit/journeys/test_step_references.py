"""References to what earlier steps met: found wherever they stand, filled in with plain values and nothing else."""

from typing import Any

import pytest

from journeys.step_references import filled, step_reference, steps_named

MET = {"paid": {"amount": 10, "by": {"card": "visa"}, "items": [1], "trap": "$entry.email", "nothing": None}}


def test_a_reference_is_taken_apart_at_the_end_of_the_steps_id() -> None:
    assert step_reference("$step.paid-late.by.card") == ("paid-late", "by.card")
    assert [step_reference(value) for value in ("$step.paid", "$step.Paid.x", "step.paid.x", 3, None)] == [None] * 5


def test_steps_are_found_in_references_and_conditions_at_any_depth() -> None:
    document = {"all": [{"step": "paid.amount"}, {"not": {"entry": "x", "is": {"one_of": ["$step.seen.x", 1]}}}]}
    assert steps_named(document) == {"paid", "seen"}
    assert steps_named({"result": {"step": "paid", "is": "arrived"}}) == frozenset()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("$step.paid.amount", 10),
        ("$step.paid.by.card", "visa"),
        ("$step.paid.items", "$step.paid.items"),
        ("$step.paid.trap", "$step.paid.trap"),
        ("$step.paid.nothing", "$step.paid.nothing"),
        ("$step.other.amount", "$step.other.amount"),
        ("$entry.amount", "$entry.amount"),
    ],
)
def test_only_plain_values_are_filled_in(value: Any, expected: Any) -> None:
    assert filled({"a": [value]}, MET) == {"a": [expected]}
