"""What people read in the Temporal UI."""

from typing import Any

import pytest
from hypothesis import given

from journeys.describe import LONGEST, describe_condition, describe_node
from journeys.documents import journey_from_document
from journeys.plan import compile_plan
from tests.support.journeys import condition, documents, journey


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"wait": "1d"}, "wait 1 day"),
        ({"wait": "36h"}, "wait 1 day 12 hours"),
        ({"wait": "90s"}, "wait 1 minute 30 seconds"),
        ({"send": {"template": "voucher"}}, "send 'voucher' by email"),
        ({"wait_for": {"event": "review.created", "up_to": "2d"}}, "wait for review.created, at most 2 days"),
        ({"wait_for": {"condition": {"in_list": "vip"}, "up_to": "7d"}}, "wait 7 days at most for on the list 'vip'"),
        (
            {"wait_for": {"first_of": [{"event": "a"}, {"condition": {"in_list": "b"}}], "up_to": "2d"}},
            "wait 2 days at most for the first of: a; on the list 'b'",
        ),
        (
            {"wait_for": {"first_of": [{"event": "a"}, {"event": "b"}], "up_to": "2d", "ranked": True}},
            "wait 2 days for the best of: a; b",
        ),
        ({"if": {"none": {"event": "review.created"}}}, "check: no review.created since entry"),
        (
            {"branch": [{"name": "vip", "if": {"in_list": "vip"}}, {"if": {"in_list": "b"}}], "else": []},
            "choose: 'vip' if on the list 'vip'; '2' if on the list 'b'",
        ),
        ({"repeat": {"times": 3, "steps": [{"wait": "1d"}]}}, "repeat 3 times"),
        (
            {"repeat": {"times": 3, "steps": [{"wait": "1d"}], "until": {"in_list": "vip"}}},
            "repeat 3 times at most, until on the list 'vip'",
        ),
        (
            {"split": {"experiment": "length", "arms": {"long": {"share": 60}, "short": {"share": 40}}}},
            "experiment 'length': 'long' 60 %, 'short' 40 %",
        ),
        ({"approve": {"by": "crm", "up_to": "3d"}}, "approval by crm, at most 3 days"),
        (
            {"approve": {"by": "crm", "up_to": "3d", "question": "Grant it?"}},
            "approval by crm, at most 3 days: Grant it?",
        ),
        ({"start": {"journey": "onboarding"}}, "start the journey 'onboarding'"),
        ({"set": {"customer_group": "loyal", "since": None}}, "set customer_group, since"),
        ({"list": {"add": "vip"}}, "add to the list 'vip'"),
        ({"list": {"remove": "vip"}}, "remove from the list 'vip'"),
        ({"stage": "mql"}, "promote to the stage 'mql'"),
        ({"stage": {"to": "lead", "recycle": True, "reason": "No."}}, "move to the stage 'lead'"),
        (
            {"task": {"title": "Call about $entry.id", "for": "sales", "due": "2d"}},
            "task for sales: Call about $entry.id",
        ),
        ({"score": {"model": "lead", "add": 10, "reason": "Came."}}, "+10 points under 'lead': Came."),
        ({"recompute_score": "purchases"}, "recompute the score 'purchases'"),
        ({"exit": "no review"}, "exit: no review"),
    ],
    ids=str,
)
def test_a_step_reads_as_what_it_does(step: dict[str, Any], words: str) -> None:
    plan = compile_plan(journey(steps=[step]), 1)
    assert describe_node(plan.nodes[plan.start]) == words


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"event": "order.placed", "within": "30d", "since": "ever"}, "at least 1 order.placed within 30 days"),
        ({"event": "x", "at_least": 2, "at_most": 3, "since": "step"}, "2 to 3 x since the step began"),
        ({"event": "x", "at_least": 0, "at_most": 3}, "at most 3 x since entry"),
        (
            {"none": {"event": "review.created", "where": {"product_id": "$entry.product_id"}}},
            "no review.created where product_id is the entry's product_id since entry",
        ),
        ({"attribute": "country", "is": {"one_of": ["DE", "AT"]}}, "attribute 'country' is one of 'DE', 'AT'"),
        ({"attribute": "first_name", "is": None}, "attribute 'first_name' is missing"),
        ({"entry": "amount", "is": {"not_equals": True}}, "entry property 'amount' is not true"),
        ({"consent": {}}, "consent to marketing by email stands"),
        ({"in_list": "vip"}, "on the list 'vip'"),
        ({"stage": {"at_least": "mql", "at_most": "sql"}}, "stage is at least mql and at most sql"),
        ({"stage": {"one_of": ["lead", "customer"]}}, "stage is one of lead, customer"),
        ({"score": {"model": "purchases", "at_least": 5}}, "score 'purchases' is at least 5"),
        ({"result": {"step": "asked", "is": "timed_out"}}, "step 'asked' ended with 'timed_out'"),
        (
            {"all": [{"in_list": "a"}, {"any": [{"in_list": "b"}, {"not": {"in_list": "c"}}]}]},
            "on the list 'a' and (on the list 'b' or not (on the list 'c'))",
        ),
        ({"all": []}, "nothing asked"),
        ({"any": []}, "never"),
    ],
    ids=str,
)
def test_a_condition_reads_as_what_it_asks(document: dict[str, Any], words: str) -> None:
    assert describe_condition(condition(document)) == words


@given(documents)
def test_every_step_is_described_in_one_line_that_fits(document: dict[str, Any]) -> None:
    made = journey_from_document({**document, "steps": document["steps"]})
    for node in compile_plan(made, 1).nodes.values():
        words = describe_node(node)
        assert 0 < len(words) <= LONGEST


def test_a_long_description_is_cut() -> None:
    plan = compile_plan(journey(steps=[{"set": {f"attribute_{number}": 1 for number in range(50)}}]), 1)
    words = describe_node(plan.nodes[plan.start])
    assert len(words) == LONGEST
    assert words.endswith("…")
