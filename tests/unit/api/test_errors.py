"""Errors of the product as problems: one table."""

import json

import pytest
from fastapi import Request

from api import problems
from api.errors import KINDS, kind_of, problem_response
from api.problems import PROBLEM_TYPES, ProblemType
from kit.errors import Conflict, DauerlaufError, Forbidden, Invalid, NotFound, Unavailable


class UnknownJourney(NotFound):
    """An error whose name is in the list of problems."""


class LostSock(Conflict):
    """One whose name is not."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Invalid("x"), problems.INVALID_REQUEST),
        (NotFound("x"), problems.NOT_FOUND),
        (Conflict("x"), problems.CONFLICT),
        (Forbidden("x"), problems.FORBIDDEN),
        (Unavailable("x"), problems.UNAVAILABLE),
        (UnknownJourney("x"), problems.UNKNOWN_JOURNEY),
        (LostSock("x"), problems.CONFLICT),
        (DauerlaufError("x"), problems.INTERNAL_ERROR),
    ],
)
def test_each_error_has_its_problem(error: DauerlaufError, kind: ProblemType) -> None:
    assert kind_of(error) is kind


def test_every_error_of_the_product_is_in_the_table() -> None:
    assert set(DauerlaufError.__subclasses__()) <= set(KINDS)


def test_names_are_kebab_case_and_lead_to_their_explanation() -> None:
    for name, kind in PROBLEM_TYPES.items():
        assert kind.uri == f"/problems/{name}"
        assert name == name.lower().replace(" ", "-")
        assert kind.meaning.endswith(".")


def test_a_problem_says_which_request_it_answers() -> None:
    scope = {"type": "http", "state": {"request_id": "r-1"}}
    response = problem_response(problems.CONFLICT, "It is so.", scope=Request(scope).scope)
    assert json.loads(bytes(response.body)) == {
        "type": "/problems/conflict",
        "title": "The present state does not allow this",
        "status": 409,
        "detail": "It is so.",
        "errors": [],
        "request_id": "r-1",
    }
