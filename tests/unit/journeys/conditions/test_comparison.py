"""How properties compare with what is asked of them."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.conditions.comparison import describe_where, lookup, matches, resolve, unmatched
from journeys.model import Journey
from journeys.values import Where
from kit.errors import Invalid
from tests.support.journeys import journey, properties, wheres

ENTRY = {"product_id": "cd-1", "address": {"city": "Graz"}}


def asked(document: dict[str, Any]) -> Where:
    """The `where` a document describes."""
    made: Journey = journey(entry={"event": "x", "where": document})
    return made.entry.where


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({}, {}),
        ({"x": "a"}, {"x": "a"}),
        ({"x": 1}, {"x": 1.0}),
        ({"x": True}, {"x": True}),
        ({"x": None}, {}),
        ({"x": None}, {"x": None}),
        ({"x": {"exists": False}}, {"x": None}),
        ({"x": {"exists": True}}, {"x": 0}),
        ({"x": {"exists": True}}, {"x": []}),
        ({"x": {"not_equals": "a"}}, {"x": "b"}),
        ({"x": {"not_equals": 1}}, {"x": True}),
        ({"x": {"at_least": 3}}, {"x": 3}),
        ({"x": {"at_least": 2.5}}, {"x": Decimal("2.5")}),
        ({"x": {"at_least": 3, "at_most": 5}}, {"x": 4}),
        ({"x": {"one_of": ["a", 2]}}, {"x": 2}),
        ({"x": {"one_of": ["a", None]}}, {}),
        ({"x": "$entry.product_id"}, {"x": "cd-1"}),
        ({"x": {"one_of": ["$entry.address.city"]}}, {"x": "Graz"}),
        ({"x": {"not_equals": "$entry.product_id"}}, {"x": "cd-2"}),
        ({"a.b.c": 1}, {"a": {"b": {"c": 1}}}),
        ({"a.b": 1}, {"a.b": 1}),
        ({"a.b.c": 1}, {"a": {"b.c": 1}}),
    ],
    ids=str,
)
def test_properties_that_match(where: dict[str, Any], found: dict[str, Any]) -> None:
    assert matches(asked(where), found, ENTRY)
    assert unmatched(asked(where), found, ENTRY) is None


@pytest.mark.parametrize(
    ("where", "found", "because"),
    [
        ({"x": "a"}, {}, "property 'x' is missing"),
        ({"x": "a"}, {"x": None}, "property 'x' is missing"),
        ({"x": "a"}, {"x": "b"}, "property 'x' differs from what is asked"),
        ({"x": 1}, {"x": "1"}, "property 'x' is a text, not a number as asked"),
        ({"x": 1}, {"x": True}, "property 'x' is true or false, not a number as asked"),
        ({"x": "a"}, {"x": ["a"]}, "property 'x' is a list, not a text as asked"),
        ({"x": None}, {"x": 0}, "property 'x' is present"),
        ({"x": {"exists": True}}, {}, "property 'x' is missing"),
        ({"x": {"not_equals": "a"}}, {}, "property 'x' is missing"),
        ({"x": {"not_equals": "a"}}, {"x": "a"}, "property 'x' is what is ruled out"),
        ({"x": {"at_least": 3}}, {}, "property 'x' is missing"),
        ({"x": {"at_least": 3}}, {"x": 2}, "property 'x' is below what is asked at least"),
        ({"x": {"at_most": 3}}, {"x": 4}, "property 'x' is above what is asked at most"),
        ({"x": {"one_of": ["a", "b"]}}, {"x": "c"}, "property 'x' is none of the 2 values asked for"),
        ({"x": {"one_of": ["a"]}}, {}, "property 'x' is missing"),
        ({"x": "$entry.nothing"}, {"x": 1}, "the entry has no 'nothing' to compare property 'x' with"),
        ({"x": {"not_equals": "$entry.no"}}, {"x": 1}, "the entry has no 'no' to compare property 'x' with"),
        ({"a.b": 1}, {"a": 1}, "property 'a.b' is missing"),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, "property 'b' differs from what is asked"),
    ],
    ids=str,
)
def test_properties_that_do_not_match_and_why(where: dict[str, Any], found: dict[str, Any], because: str) -> None:
    assert not matches(asked(where), found, ENTRY)
    assert unmatched(asked(where), found, ENTRY) == because


@pytest.mark.parametrize(("found", "kind"), [("12", "a text"), (True, "true or false"), ([1], "a list")])
@pytest.mark.parametrize("operator", ["at_least", "at_most"])
def test_a_range_of_something_that_is_no_number_is_an_error_and_never_a_silent_no(
    operator: str, found: Any, kind: str
) -> None:
    with pytest.raises(Invalid) as raised:
        matches(asked({"amount": {operator: 3}}), {"amount": found}, {})
    assert raised.value.message == f"`{operator}` compares numbers, and property 'amount' is {kind}."
    assert "number" in raised.value.remedy


@given(wheres, properties, properties)
def test_a_reason_is_given_exactly_where_there_is_no_match(
    where: dict[str, Any], found: dict[str, Any], entry: dict[str, Any]
) -> None:
    reason = unmatched(asked(where), found, entry)
    assert (reason is None) == matches(asked(where), found, entry)


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1))
def test_no_reason_tells_a_value(secret: str) -> None:
    documents: list[dict[str, Any]] = [
        {"x": "other"},
        {"x": {"not_equals": secret}},
        {"x": {"one_of": ["a"]}},
        {"x": None},
        {"x": 1},
    ]
    for document in documents:
        reason = unmatched(asked(document), {"x": secret}, {})
        assert reason is not None
        assert secret not in reason


def test_a_name_with_dots_is_looked_for_whole_before_it_is_taken_apart() -> None:
    assert lookup({"a.b": 1, "a": {"b": 2}}, "a.b") == 1
    assert lookup({"a": {"b": 2}}, "a.b") == 2
    assert lookup({"a": {"b": 2}}, "a.") is None


def test_only_an_exact_reference_is_resolved() -> None:
    assert resolve("$entry.product_id", ENTRY) == "cd-1"
    assert resolve("costs $entry.product_id", ENTRY) == "costs $entry.product_id"
    assert resolve(5, ENTRY) == 5


def test_what_is_asked_is_told_with_the_values_the_author_wrote() -> None:
    where = asked({"x": "$entry.product_id", "y": {"at_least": 3, "at_most": 5}, "z": {"one_of": ["a", 1]}, "n": None})
    assert describe_where(where) == (
        " where x is the entry's product_id and y is at least 3 and is at most 5"
        " and z is one of 'a', 1 and n is missing"
    )
