"""Reading bodies: strict JSON, with nothing in it that PostgreSQL cannot keep. Sizes and gzip: `api.middleware`."""

import re
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic_core import from_json

from api import problems
from api.errors import ProblemError
from kit.errors import Problem

# Text and numbers that JSON can say and the database cannot keep are rare: look for them only where one may be.
# A number follows a colon, a comma, a bracket or space; the same digits inside a text, such as an id, follow a quote.
_SUSPICIOUS = re.compile(rb"\\u0000|[:,\[\s]-?[0-9]+(?:\.[0-9]+)?[eE]\+?[0-9]{3}|[0-9]{300}")
_LARGEST = 1e308
_POSITION = re.compile(r"^(?P<what>.*?) at line (?P<line>\d+) column (?P<column>\d+)$")


class JsonRoute(APIRoute):
    """A route whose JSON bodies are read by `read_json`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI, given a request that reads its body our way."""
        handler = super().get_route_handler()

        async def read_our_way(request: Request) -> Response:
            return await handler(_StrictRequest(request.scope, request.receive))

        return read_our_way


class _StrictRequest(Request):
    async def json(self) -> Any:
        return read_json(await self.body())

    async def body(self) -> bytes:
        if not hasattr(self, "_checked"):
            self._checked = await super().body()
            _demand_json(self, self._checked)
        return self._checked


def media_type(request: Request) -> str:
    """The kind of body the request says it has, without parameters; JSON where it says nothing."""
    return request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()


def _demand_json(request: Request, body: bytes) -> None:
    kind = media_type(request)
    if body and not (kind == "application/json" or kind.endswith("+json")):
        raise ProblemError(
            problems.UNSUPPORTED_MEDIA_TYPE,
            f"The body is '{kind[:80]}', which this operation does not read. Send JSON as application/json.",
        )


def read_json(body: bytes) -> Any:
    """The value in `body`. Raises `ProblemError` for what is not JSON or cannot be stored, naming the place."""
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise ProblemError(problems.MALFORMED_BODY, _sentence(str(error))) from error
    if _SUSPICIOUS.search(body):
        unstorable = list(_unstorable(value, ""))
        if unstorable:
            detail = f"{unstorable[0].where}: {unstorable[0].what}"
            raise ProblemError(problems.MALFORMED_BODY, detail, errors=unstorable)
    return value


def _sentence(reason: str) -> str:
    found = _POSITION.match(reason)
    if found is None:
        return f"The body is not JSON: {reason}."
    return f"The body is not JSON: {found['what']}, in line {found['line']} at column {found['column']}."


def _unstorable(value: Any, pointer: str) -> Iterator[Problem]:
    match value:
        case str() if "\x00" in value:
            yield Problem(pointer or "/", "The text holds the character U+0000.", "Remove it.")
        case float() | int() if abs(value) > _LARGEST:
            yield Problem(pointer or "/", "The number is too large.", "Write it as a string.")
        case dict():
            for name, inner in value.items():
                if "\x00" in name:
                    yield Problem(pointer or "/", "A field's name holds the character U+0000.", "Remove it.")
                yield from _unstorable(inner, f"{pointer}/{name}")
        case list():
            for number, inner in enumerate(value):
                yield from _unstorable(inner, f"{pointer}/{number}")
