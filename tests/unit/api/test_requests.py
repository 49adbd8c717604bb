"""Strict JSON: what PostgreSQL cannot keep is refused with its place, everything else passes unchanged."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import ProblemError
from api.requests import read_json

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
STORABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e307, max_value=1e307)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_characters="\0", codec="utf-8")), inner)
    ),
)


@given(STORABLE, st.booleans())
def test_what_can_be_stored_passes_unchanged(value: Any, ascii_only: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    assert read_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        read_json(content)
    except ProblemError as refused:
        assert refused.kind.name == "malformed-body"  # noqa: PT017 - both outcomes are right


def test_where_the_json_breaks_is_said() -> None:
    with pytest.raises(ProblemError) as refused:
        read_json(b'{\n  "a": ]\n}')
    assert "line 2 at column 8" in refused.value.sentence


def test_every_unstorable_value_is_listed() -> None:
    with pytest.raises(ProblemError) as refused:
        read_json(b'{"a":["\\u0000", 1e400], "b\\u0000": 1}')
    assert [problem.where for problem in refused.value.errors] == ["/a/0", "/a/1", "/"]
