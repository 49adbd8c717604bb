"""Pydantic's findings as sentences with JSON pointers."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from api.schemas.fields import PlainText
from api.schemas.problem import FieldProblem
from api.schemas.segments import PreviewInput
from api.schemas.tracking import Batch, EventInput
from api.validation import MOST_FINDINGS, field_problems, json_pointer, quoted
from journeys.values import EventName, Key


def problems_of(model: type[Any], body: Any) -> list[FieldProblem]:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(model).validate_python(body)
    found = [{**error, "loc": ("body", *error["loc"])} for error in refused.value.errors()]
    return field_problems(found, body)


def test_the_branch_of_a_union_is_not_part_of_the_place() -> None:
    body = {"batch": [{"type": "page"}, {"type": "track", "timestamp": 5, "event": "x"}]}
    assert [problem.field for problem in problems_of(Batch, body)] == ["/batch/1/timestamp"]


def test_a_branch_that_is_called_like_a_key_is_not_part_of_the_place_either() -> None:
    (problem,) = problems_of(PreviewInput, {"condition": {"event": "a", "at_least": 10**30}})
    assert problem.field == "/condition/at_least"
    assert (problem.what[-13:], problem.remedy) == ("is too large.", "Write at most 2147483647.")


def test_a_missing_field_is_named_though_it_is_not_there() -> None:
    (problem,) = problems_of(Batch, {"batch": [{"type": "track"}]})
    assert problem == FieldProblem(field="/batch/0/event", what="It is missing.", remedy="Add it.")


def test_a_misspelt_field_and_a_wrong_kind_are_both_said() -> None:
    body = {"event": "x", "contact": {"user": 1}, "properties": []}
    assert {problem.field: problem.what for problem in problems_of(EventInput, body)} == {
        "/contact/user": "There is no field of this name.",
        "/properties": "A list is not an object.",
    }


def test_names_with_slashes_are_escaped_as_pointers_demand() -> None:
    assert json_pointer(["a/b~c"], {"a/b~c": 1}, missing=False) == "/a~1b~0c"


def test_the_whole_body_is_the_root() -> None:
    (problem,) = problems_of(Batch, [])
    assert problem.field == "/"


def test_at_most_fifty_findings_are_listed() -> None:
    assert len(problems_of(Batch, {"batch": [{"type": "track"}] * 200})) == MOST_FINDINGS


def test_long_values_are_quoted_short() -> None:
    assert len(quoted("x" * 1_000)) < 100
    assert quoted({"a": "x" * 1_000}) == "An object"


def test_a_kind_of_finding_nobody_thought_of_still_makes_a_sentence() -> None:
    error = {"type": "brand_new", "loc": ("query", "x"), "msg": "Input is odd", "input": 1}
    (problem,) = field_problems([error], None)
    assert problem.field == "query parameter x"
    assert problem.what == "Input is odd."
    assert problem.remedy


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        (EventName, "Begin with a visible character, such as in order.placed, and use no control characters."),
        (Key, "Use lower case letters, digits and single hyphens, such as voucher-and-review."),
        (PlainText, "Leave out the character U+0000."),
    ],
)
def test_the_form_of_a_name_is_told_in_words(name: Any, remedy: str) -> None:
    (problem,) = problems_of(name, "\x00")
    assert problem.remedy == remedy
