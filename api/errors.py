"""Errors into problem documents, in one table. The types of problems are in `api.problems`.

Nothing of the inside leaves: an unexpected error is logged with its trace and answered by its request id.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import sqlalchemy.exc
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import HTTPException as FastAPIHTTPException
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Scope

from api import problems
from api.problems import PROBLEM_TYPES, ProblemType
from api.schemas.problem import FieldProblem, ProblemDocument
from api.validation import field_problems
from kit.errors import Conflict, DauerlaufError, Forbidden, Invalid, NotFound, Problem, Unavailable

PROBLEM_MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = "5"

DATABASE_OUTAGES = (
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
    sqlalchemy.exc.TimeoutError,
    ConnectionError,
)
"""Raised where PostgreSQL is away, restarting, out of connections, or gave up waiting for a lock."""

KINDS: Mapping[type[DauerlaufError], ProblemType] = {
    Invalid: problems.INVALID_REQUEST,
    NotFound: problems.NOT_FOUND,
    Conflict: problems.CONFLICT,
    Forbidden: problems.FORBIDDEN,
    Unavailable: problems.UNAVAILABLE,
}

_log = structlog.get_logger(__name__)


class ProblemError(FastAPIHTTPException):
    """A problem of HTTP itself, raised where no error of the product fits.

    FastAPI lets only its own kind of exception through while it reads a body; any other becomes its 400.
    """

    def __init__(
        self,
        kind: ProblemType,
        detail: str,
        *,
        errors: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind.status.value, detail, dict(headers or {}))
        self.kind = kind
        self.sentence = detail
        self.errors = tuple(errors)


def problem_response(
    kind: ProblemType,
    detail: str,
    *,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
    scope: Scope | None = None,
) -> JSONResponse:
    """The answer to a problem. Problems that pass by themselves say when to come again."""
    document = ProblemDocument(
        type=kind.uri,
        title=kind.title,
        status=kind.status,
        detail=detail,
        errors=list(errors),
        request_id=(scope or {}).get("state", {}).get("request_id"),
    )
    sent = dict(headers or {})
    if kind.status == HTTPStatus.SERVICE_UNAVAILABLE:
        sent.setdefault("Retry-After", RETRY_AFTER_SECONDS)
    return JSONResponse(document.model_dump(), kind.status, sent, PROBLEM_MEDIA_TYPE)


def kind_of(error: DauerlaufError) -> ProblemType:
    """The type of an error: its class name in the list of problems, or that of its nearest ancestor."""
    for ancestor in type(error).__mro__:
        named = PROBLEM_TYPES.get(re.sub(r"(?<!^)(?=[A-Z])", "-", ancestor.__name__).lower())
        if named is not None and ancestor not in KINDS:
            return named
        if ancestor in KINDS:
            return KINDS[ancestor]
    return problems.INTERNAL_ERROR


def as_field_problems(found: Sequence[Problem]) -> list[FieldProblem]:
    """Findings of the product as they leave. Some say "is blank" of the place they name; here that is a sentence."""
    return [
        FieldProblem(
            field=problem.where,
            what=f"It {problem.what}" if problem.what[:1].islower() else problem.what,
            remedy=problem.remedy,
        )
        for problem in found
    ]


async def _of_product(request: Request, error: DauerlaufError) -> JSONResponse:
    found = error.problems if isinstance(error, Invalid) else ()
    return problem_response(kind_of(error), str(error), errors=as_field_problems(found), scope=request.scope)


async def _of_http_itself(request: Request, error: ProblemError) -> JSONResponse:
    return problem_response(
        error.kind, error.sentence, errors=as_field_problems(error.errors), headers=error.headers, scope=request.scope
    )


async def _of_validation(request: Request, error: RequestValidationError) -> JSONResponse:
    found = field_problems(error.errors(), error.body)
    first = f"{found[0].field}: {found[0].what}"
    detail = first if len(found) == 1 else f"{len(found)} things are wrong. {first}"
    return problem_response(problems.INVALID_REQUEST, detail, errors=found, scope=request.scope)


async def _of_routing(request: Request, error: HTTPException) -> JSONResponse:
    kinds = {404: problems.UNKNOWN_PATH, 405: problems.METHOD_NOT_ALLOWED, 413: problems.BODY_TOO_LARGE}
    details = {
        404: f"There is nothing at '{request.url.path[:200]}'. See /docs for every operation.",
        405: f"'{request.url.path[:200]}' does not take {request.method}.",
    }
    kind = kinds.get(error.status_code, problems.REQUEST_NOT_POSSIBLE)
    detail = details.get(error.status_code, str(error.detail))
    return problem_response(kind, detail, headers=error.headers, scope=request.scope)


async def _of_database(request: Request, error: Exception) -> JSONResponse:
    _log.warning("database does not answer", error=type(error).__name__)
    detail = "The database does not answer now. Nothing was accepted; send the same request again."
    return problem_response(problems.UNAVAILABLE, detail, scope=request.scope)


def unexpected(scope: Scope, error: Exception) -> JSONResponse:
    """The answer to an error nobody foresaw, which is logged with its trace."""
    _log.error("unexpected error", path=scope.get("path"), exc_info=error)
    detail = "Something broke on our side and was logged. Name the request_id when you ask about it."
    return problem_response(problems.INTERNAL_ERROR, detail, scope=scope)


def install(app: FastAPI) -> None:
    """Make `app` answer every error by a problem document."""
    handlers: list[tuple[type[Exception], Any]] = [
        (DauerlaufError, _of_product),
        (ProblemError, _of_http_itself),
        (RequestValidationError, _of_validation),
        (HTTPException, _of_routing),
        *((outage, _of_database) for outage in DATABASE_OUTAGES),
    ]
    for kind, handler in handlers:
        app.add_exception_handler(kind, handler)
