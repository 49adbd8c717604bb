"""What every operation declares in one line: the scope it demands, and the problems it may answer with."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Depends
from pydantic import BaseModel

from api import problems
from api.authentication import require
from api.problems import ProblemType
from crm.access import Scope

PROBLEM_SCHEMA = "#/components/schemas/ProblemDocument"
EXAMPLE_TEXT = "x-example-text"
ALWAYS = (
    problems.MISSING_KEY,
    problems.INVALID_KEY,
    problems.MISSING_SCOPE,
    problems.INVALID_REQUEST,
    problems.UNAVAILABLE,
)
WITH_BODY = (problems.MALFORMED_BODY, problems.BODY_TOO_LARGE, problems.UNSUPPORTED_MEDIA_TYPE)


def operation(
    scope: Scope,
    *kinds: ProblemType,
    body: bool = False,
    example: BaseModel | None = None,
    answers: Mapping[int | str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Arguments of a route decorator.

    Args:
        scope: What the caller's key must be good for.
        *kinds: Problems of this operation, besides those of all.
        body: Whether it reads a body, and so has the problems of bodies.
        example: The usual successful answer, for the OpenAPI document.
        answers: Further successful answers, for the OpenAPI document.
        **more: Further arguments of the decorator.
    """
    kinds = (*ALWAYS, *(WITH_BODY if body else ()), *kinds)
    usual: dict[int | str, Any] = {}
    if example is not None:
        # As text: FastAPI drops every null of the document, and with it fields of the example. `api.openapi` reads it.
        shown = {"content": {"application/json": {EXAMPLE_TEXT: example.model_dump_json(by_alias=True)}}}
        usual[int(more.get("status_code", HTTPStatus.OK))] = shown
    extra: dict[str, Any] = {"x-required-scope": scope.value, **more.pop("openapi_extra", {})}
    return {
        "dependencies": [Depends(require(scope))],
        "responses": {**usual, **(answers or {}), **problem_responses(kinds)},
        "openapi_extra": extra,
        **more,
    }


def problem_responses(kinds: Sequence[ProblemType]) -> dict[int | str, Any]:
    """The answers of these problems for the OpenAPI document, with an example of each."""
    by_status: dict[int | str, dict[str, ProblemType]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status.value, {})[kind.name] = kind
    return {status: _response(list(found.values())) for status, found in sorted(by_status.items(), key=lambda s: s[0])}


def _response(kinds: Sequence[ProblemType]) -> dict[str, Any]:
    examples = {
        kind.name: {
            "summary": kind.title,
            "value": {
                "type": kind.uri,
                "title": kind.title,
                "status": kind.status.value,
                "detail": kind.meaning,
                "errors": [],
                "request_id": "0199f5c1-0000-7000-8000-000000000000",
            },
        }
        for kind in kinds
    }
    return {
        "description": "; ".join(kind.title for kind in kinds),
        "content": {"application/problem+json": {"schema": {"$ref": PROBLEM_SCHEMA}, "examples": examples}},
    }
