"""Everything that passes here is taken by PostgreSQL; what it would refuse is told before it is sent."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.documents import json_problem, text_problem, to_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize("value", ["", "   ", "x" * 256, "a\0b", "\ud800"])
def test_a_name_that_no_table_can_hold_is_told(value: str) -> None:
    problem = text_problem(value, where="user_id")

    assert problem is not None
    assert problem.where == "user_id"
    assert problem.remedy


def test_a_name_of_the_greatest_length_is_fine() -> None:
    assert text_problem("x" * 255, where="user_id") is None


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), {"a": ["\0"]}, {"\0": 1}, "\ud800", object(), {1, 2}],
    ids=["nan", "infinity", "nul inside", "nul in a key", "half a character", "an object", "a set"],
)
def test_a_value_that_jsonb_refuses_is_told(value: Any) -> None:
    problem = json_problem(value, where="properties")

    assert problem is not None
    assert problem.where == "properties"


def test_a_value_that_holds_itself_is_told() -> None:
    value: list[Any] = []
    value.append(value)

    assert json_problem(value, where="properties") is not None


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert json_problem({"path": r"C:\u0000"}, where="properties") is None


@given(JSON)
def test_what_passes_reads_back_as_it_was(value: Any) -> None:
    try:
        text = to_json(value)
    except ValueError:
        assert "\\u0000" in json.dumps(value)
        return

    assert json.loads(text) == value


def test_the_error_never_quotes_the_value() -> None:
    with pytest.raises(ValueError, match="half a character") as caught:
        to_json({"name": "Ada Lovelace\ud800"})

    assert "Ada" not in str(caught.value)
