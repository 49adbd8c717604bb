"""Codes of vouchers: easy to read out, hard to guess, and with a check character that finds a slip of the pen.

A generated code is its pool's prefix and ten characters of an alphabet without look-alikes (no 0 1 I L O U Z). The
last of the ten is a weighted sum modulo 29, a prime: no single wrong character and no swapped pair goes unnoticed.
"""

import re
import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXY"
LONGEST = 100
_RANDOM = 9
_SHAPE = re.compile(rf"(?:.*-)?([{ALPHABET}]{{5}})-([{ALPHABET}]{{5}})")
_CODE = re.compile(r"[!-.0-~]+")


def new_code(prefix: str | None) -> str:
    """A new code, cryptographically random: `WELCOME-7KF3Q-M9XTA`."""
    characters = "".join(secrets.choice(ALPHABET) for _ in range(_RANDOM))
    body = characters + _check(characters)
    return "-".join(part for part in (prefix, body[:5], body[5:]) if part)


def test_code(prefix: str | None) -> str:
    """A made-up code, which says that it is one: `TEST-WELCOME-7KF3Q-M9XTA`."""
    return new_code("-".join(part for part in ("TEST", prefix) if part))


def normalized(code: str) -> str:
    """A code as it is kept, from what somebody typed: capitals, without spaces."""
    return "".join(code.split()).upper()


def usable(code: str) -> bool:
    """Whether a code can be kept: 1 to 100 printable characters without spaces and slashes, after `normalized`."""
    return len(code) <= LONGEST and _CODE.fullmatch(code) is not None


def mistyped(code: str) -> bool:
    """Whether a code is written like a generated one, and its check character does not fit."""
    found = _SHAPE.fullmatch(normalized(code))
    if found is None:
        return False
    body = found[1] + found[2]
    return _check(body[:_RANDOM]) != body[_RANDOM]


def _check(characters: str) -> str:
    # The weights 2, 3, … and 1 of the check character itself differ, so that swapping any two changes the sum.
    total = sum(weight * ALPHABET.index(character) for weight, character in enumerate(characters, start=2))
    return ALPHABET[-total % len(ALPHABET)]
