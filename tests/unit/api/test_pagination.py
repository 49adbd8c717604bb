"""Opaque cursors: ours lead on, others are refused."""

import base64
import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pagination import paged, read_cursor, write_cursor
from api.schemas.fields import sequence_number
from kit.errors import Invalid


@given(st.uuids())
def test_a_cursor_holds_the_key_it_was_made_of(key: UUID) -> None:
    assert read_cursor(write_cursor(key), UUID) == key


def test_no_cursor_is_the_beginning() -> None:
    assert read_cursor(None, UUID) is None


def forged(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "cursor", ["", "x", "é", "e30=", forged([]), forged({"after": None}), forged({"after": 5}), forged({"after": "5"})]
)
def test_a_cursor_that_is_none_of_ours_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid, match="cursor"):
        read_cursor(cursor, UUID)


@pytest.mark.parametrize("number", ["-1", "x", str(2**63)])
def test_a_number_no_log_can_hold_is_refused(number: str) -> None:
    with pytest.raises(Invalid):
        read_cursor(forged({"after": number}), sequence_number)


def test_the_last_page_has_no_cursor() -> None:
    assert paged([1, 2], 2, str) == ([1, 2], None)
    rows, following = paged([1, 2, 3], 2, str)
    assert rows == [1, 2]
    assert read_cursor(following, int) == 2
