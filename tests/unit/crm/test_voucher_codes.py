"""Codes: readable, different, and a slip of the pen is noticed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.voucher_codes import ALPHABET, mistyped, new_code, normalized, usable

LAST_TEN = st.integers(min_value=0, max_value=9)


def body(code: str) -> list[int]:
    """Positions of the ten characters behind the prefix."""
    return [position for position in range(len(code)) if code[position] != "-"][-10:]


def test_codes_have_their_pools_prefix_and_no_lookalikes() -> None:
    codes = {new_code("HELLO") for _ in range(1_000)}
    assert len(codes) == 1_000
    assert all(re.fullmatch(r"HELLO-[2-9A-HJKMNP-TV-Y]{5}-[2-9A-HJKMNP-TV-Y]{5}", code) for code in codes)
    assert re.fullmatch(r"[2-9A-Y]{5}-[2-9A-Y]{5}", new_code(None))


@given(place=LAST_TEN, character=st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(place: int, character: str) -> None:
    code = new_code("HELLO")
    position = body(code)[place]
    wrong = code[:position] + character + code[position + 1 :]
    assert mistyped(wrong) is (wrong != code)


@given(one=LAST_TEN, other=LAST_TEN)
def test_two_swapped_characters_are_noticed(one: int, other: int) -> None:
    code = new_code(None)
    first, second = body(code)[one], body(code)[other]
    characters = list(code)
    characters[first], characters[second] = characters[second], characters[first]
    swapped = "".join(characters)
    assert mistyped(swapped) is (swapped != code)


@pytest.mark.parametrize("code", ["SUMMER", "ABC-1", ""])
def test_nothing_is_said_of_codes_from_outside(code: str) -> None:
    assert not mistyped(code)


def test_what_is_typed_is_read_without_spaces_and_in_capitals() -> None:
    assert normalized(" hello-7kf3q m9xta\n") == "HELLO-7KF3QM9XTA"
    assert [usable(code) for code in ("A", "A-1_b", "", "a b", "a/b", "x" * 101, "ä")] == [True, True, *[False] * 5]
