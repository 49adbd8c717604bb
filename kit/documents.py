"""What PostgreSQL can store: texts without NUL and JSON without NaN, NUL or half characters. Checked before it is sent.

A value that slips through would fail the whole batch it travels in, long after its sender was told `ok`.
"""

import json
import re
from typing import Any

from kit.errors import Problem

MAX_NAME_LENGTH = 255
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def text_problem(value: str, *, where: str, limit: int = MAX_NAME_LENGTH) -> Problem | None:
    """What keeps a text from being a name: blank, longer than `limit`, or with characters no database takes."""
    if not value.strip():
        return Problem(where, "is blank.", "Leave it out, or give it a value.")
    if len(value) > limit:
        return Problem(where, f"has {len(value)} characters.", f"Use at most {limit}.")
    return None if _is_storable_text(value) else Problem(where, "holds a NUL or half a character.", "Send valid UTF-8.")


def json_problem(value: Any, *, where: str) -> Problem | None:
    """What keeps a value from being stored as JSONB."""
    try:
        to_json(value)
    except ValueError as error:
        return Problem(
            where, f"cannot be stored: {error}.", "Send JSON: texts, numbers, booleans, null, lists, objects."
        )
    return None


def to_json(value: Any) -> str:
    """The value as JSON that PostgreSQL takes.

    Raises:
        ValueError: it is not JSON, or holds NaN, infinity, a NUL or half of a surrogate pair; never quotes the value.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, RecursionError) as error:
        raise ValueError("it is not JSON, or nested too deeply") from error
    except ValueError as error:
        raise ValueError("it holds a number that is not finite, or itself") from error
    if _ESCAPED_NUL.search(text) or not _is_storable_text(text):
        raise ValueError("it holds a NUL or half a character")
    return text


def _is_storable_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value
