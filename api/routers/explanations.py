"""`GET /problems/{name}`: what the `type` of a problem document leads to."""

from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api import problems
from api.errors import ProblemError
from api.problems import PROBLEM_TYPES

router = APIRouter(include_in_schema=False)

_PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
    "<h1>{title}</h1><p>{status}</p><p>{text}</p></html>"
)


@router.get("/problems/{name}")
async def explain_problem(name: str) -> HTMLResponse:
    """The kind of problem, in words."""
    kind = PROBLEM_TYPES.get(name)
    if kind is None:
        known = ", ".join(PROBLEM_TYPES)
        raise ProblemError(problems.UNKNOWN_PATH, f"There is no such kind of problem. There are: {known}.")
    status = f"{kind.status.value} {kind.status.phrase}"
    return HTMLResponse(_PAGE.format(title=escape(kind.title), status=escape(status), text=escape(kind.meaning)))
