"""The other kinds: attributes, consent, lists, scores, entry, results."""

from typing import Any

import pytest

from journeys.conditions.base import Facts, Needs, Verdict
from journeys.conditions.registry import CONDITION_KINDS, condition_kind
from kit.errors import Invalid
from tests.support.journeys import NOW, condition

FACTS = Facts(
    now=NOW,
    attributes={"country": "DE", "address": {"city": "Graz"}, "age": 30, "gone": None},
    lists=frozenset({"vip"}),
    consents=frozenset({("marketing", "email")}),
    scores={"purchases": 45},
    entry={"order_id": "o-1", "amount": 4_999},
    results={"asked": "timed_out"},
    steps={"paid-late": {"amount": 4_999, "by": {"card": "visa"}}},
)


@pytest.mark.parametrize(
    ("document", "holds", "because"),
    [
        ({"attribute": "country"}, True, "attribute 'country' is as asked"),
        ({"attribute": "country", "is": "DE"}, True, "attribute 'country' is as asked"),
        ({"attribute": "country", "is": "AT"}, False, "attribute 'country' differs from what is asked"),
        ({"attribute": "address.city", "is": "Graz"}, True, "attribute 'address.city' is as asked"),
        ({"attribute": "gone"}, False, "attribute 'gone' is missing"),
        ({"attribute": "gone", "is": None}, True, "attribute 'gone' is as asked"),
        ({"attribute": "first_name", "is": {"exists": False}}, True, "attribute 'first_name' is as asked"),
        ({"attribute": "age", "is": {"at_least": 18}}, True, "attribute 'age' is as asked"),
        ({"consent": {}}, True, "consent to marketing by email stands"),
        ({"consent": {"purpose": "sales"}}, False, "consent to sales by email does not stand"),
        ({"in_list": "vip"}, True, "on the list 'vip'"),
        ({"in_list": "newsletter"}, False, "not on the list 'newsletter'"),
        ({"score": {"model": "purchases", "at_least": 45}}, True, "score 'purchases' is 45; asked: at least 45"),
        ({"score": {"model": "purchases", "at_most": 44}}, False, "score 'purchases' is 45; asked: at most 44"),
        ({"score": {"model": "visits", "at_most": 0}}, True, "score 'visits' is 0; asked: at most 0"),
        ({"entry": "order_id"}, True, "entry property 'order_id' is as asked"),
        (
            {"entry": "amount", "is": {"at_least": 5_000}},
            False,
            "entry property 'amount' is below what is asked at least",
        ),
        ({"result": {"step": "asked", "is": "timed_out"}}, True, "step 'asked' ended with 'timed_out'"),
        ({"result": {"step": "asked", "is": "arrived"}}, False, "step 'asked' ended with 'timed_out'"),
        ({"result": {"step": "other", "is": "yes"}}, False, "step 'other' has no result"),
        ({"step": "paid-late.by.card", "is": "visa"}, True, "property 'by.card' of what 'paid-late' met is as asked"),
        (
            {"step": "paid-late.amount", "is": "$entry.amount"},
            True,
            "property 'amount' of what 'paid-late' met is as asked",
        ),
        ({"step": "paid.amount"}, False, "property 'amount' of what 'paid' met is missing"),
        ({"step": "paid.amount", "is": None}, True, "property 'amount' of what 'paid' met is as asked"),
        (
            {"entry": "amount", "is": "$step.paid.amount"},
            False,
            "there is no step.paid.amount to compare entry property 'amount' with",
        ),
        ({"all": []}, True, "nothing is asked"),
        ({"any": []}, False, "there is nothing that could hold"),
        ({"not": {"in_list": "vip"}}, False, "on the list 'vip'"),
    ],
    ids=str,
)
def test_a_condition_judges_and_says_why(document: dict[str, Any], *, holds: bool, because: str) -> None:
    assert condition(document).judge(FACTS) == Verdict(holds=holds, because=because)


def test_an_attribute_that_cannot_be_compared_is_an_error() -> None:
    with pytest.raises(Invalid, match="attribute 'country' is a text"):
        condition({"attribute": "country", "is": {"at_least": 1}}).judge(FACTS)


@pytest.mark.parametrize(
    ("document", "needs"),
    [
        ({"attribute": "x"}, Needs(attributes=frozenset({"x"}))),
        ({"consent": {}}, Needs(consents=True)),
        ({"in_list": "vip"}, Needs(lists=True)),
        ({"score": {"model": "purchases", "at_least": 1}}, Needs(score_models=frozenset({"purchases"}))),
        ({"any": [{"consent": {}}, {"not": {"in_list": "vip"}}]}, Needs(lists=True, consents=True)),
        ({"entry": "x"}, Needs()),
        ({"result": {"step": "x", "is": "yes"}}, Needs()),
        ({"step": "x.y"}, Needs()),
    ],
    ids=str,
)
def test_a_condition_names_the_facts_it_needs(document: dict[str, Any], needs: Needs) -> None:
    assert condition(document).needs() == needs


def test_all_tells_every_reason_against_it_and_any_every_reason_for_it() -> None:
    failing = {"all": [{"in_list": "vip"}, {"in_list": "a"}, {"in_list": "b"}]}
    assert condition(failing).judge(FACTS).because == "not on the list 'a'; and not on the list 'b'"
    holding = {"any": [{"in_list": "a"}, {"in_list": "vip"}, {"consent": {}}]}
    assert condition(holding).judge(FACTS).because == "on the list 'vip'; and consent to marketing by email stands"


def test_a_long_reason_is_cut() -> None:
    verdict = condition({"all": [{"in_list": f"list-{number}"} for number in range(100)]}).judge(FACTS)
    assert len(verdict.because) == 500
    assert verdict.because.endswith("…")


def test_a_condition_that_cannot_be_judged_does_not_hide_behind_its_neighbours() -> None:
    broken = {"attribute": "country", "is": {"at_least": 1}}
    for document in ({"any": [{"in_list": "vip"}, broken]}, {"all": [{"in_list": "none"}, broken]}):
        with pytest.raises(Invalid):
            condition(document).judge(FACTS)


def test_every_kind_is_recognised_by_its_key() -> None:
    assert [condition_kind({kind: None}) for kind in CONDITION_KINDS] == list(CONDITION_KINDS)
    assert condition_kind({"nothing": 1}) is None
    assert condition_kind("all") is None
