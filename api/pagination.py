"""Keyset pages: an opaque cursor names the last item read, so pages stay right while rows come and go."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query

from kit.errors import Invalid, Problem

Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page at most.")]
CursorText = Annotated[
    str | None, Query(max_length=500, alias="cursor", description="`next` of the page before; leave out at first.")
]
DEFAULT_LIMIT = 50

Row = TypeVar("Row")
Key = TypeVar("Key")


def read_cursor(cursor: str | None, parse: Callable[[str], Key]) -> Key | None:
    """The key the cursor holds, or None without a cursor. Raises `kit.errors.Invalid` for one we did not make."""
    if cursor is None:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        return parse(found["after"])
    except (binascii.Error, UnicodeError, ValueError, TypeError, KeyError, AttributeError) as error:
        problem = Problem("query parameter cursor", "It is none of ours.", "Pass `next` of the page before, unchanged.")
        raise Invalid("The cursor cannot be used.", problems=[problem]) from error


def write_cursor(key: Any) -> str:
    """A cursor that holds `key`."""
    return base64.urlsafe_b64encode(json.dumps({"after": str(key)}).encode()).decode()


def paged(rows: Sequence[Row], limit: int, key: Callable[[Row], Any]) -> tuple[Sequence[Row], str | None]:
    """Of `limit + 1` rows those that go on the page, and the cursor to read on behind them."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], write_cursor(key(rows[limit - 1]))
