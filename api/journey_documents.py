"""Journey documents in requests: JSON or YAML by content type, and the findings of their check as problems."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from api import problems
from api.errors import ProblemError
from api.requests import media_type, read_json
from api.schemas.journeys import FindingView
from crm.vouchers import VoucherRepository
from journeys.checks import Finding, Severity, check, check_moments
from journeys.documents import journey_from_document
from journeys.loader import load_document
from journeys.model import Journey
from journeys.places import Places
from kit.errors import Invalid
from messaging.live_checks import check_live
from messaging.template_store import known_templates

JSON_TYPE = "application/json"
YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml")


@dataclass(frozen=True)
class SentJourney:
    """A journey as it was sent, and where in the text each part of it stands."""

    journey: Journey
    places: Places


def request_body(example: dict[str, Any], yaml_example: str) -> dict[str, Any]:
    """The body of a journey for the OpenAPI document; FastAPI does not see it, since this module reads it."""
    return {
        "required": True,
        "content": {
            JSON_TYPE: {"schema": {"$ref": "#/components/schemas/Journey"}, "example": example},
            YAML_TYPES[0]: {"schema": {"type": "string"}, "example": yaml_example},
        },
    }


async def journey_in(request: Request) -> SentJourney:
    """The journey in the body.

    Raises:
        ProblemError: the body is neither JSON nor YAML, or no journey; names every place at fault.
    """
    body = await request.body()
    kind = media_type(request)
    is_yaml = kind in YAML_TYPES
    if not (is_yaml or kind == JSON_TYPE or kind.endswith("+json")):
        raise ProblemError(
            problems.UNSUPPORTED_MEDIA_TYPE,
            f"The body is '{kind[:80]}'. Send a journey as {JSON_TYPE} or {YAML_TYPES[0]}.",
        )
    try:
        document, places = load_document(_text(body), name="journey") if is_yaml else (read_json(body), Places())
        return SentJourney(journey_from_document(document, places=places), places)
    except Invalid as error:
        raise ProblemError(problems.INVALID_JOURNEY, error.message, errors=error.problems) from error


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProblemError(problems.MALFORMED_BODY, "The body is not UTF-8 text. Save the file as UTF-8.") from error


async def demand_runnable(
    session: AsyncSession, journey: Journey, places: Places | None = None, *, now: datetime | None = None
) -> list[FindingView]:
    """Check the journey against templates, voucher pools and, where it is given, the present; returns the warnings.

    Raises:
        ProblemError: there are errors; lists every finding, errors first.
    """
    pools = await VoucherRepository(session).keys()
    found = check(journey, await known_templates(session), places=places, now=now, pools=pools)
    errors = [finding for finding in found if finding.severity is Severity.ERROR]
    if errors:
        count = "an error" if len(errors) == 1 else f"{len(errors)} errors"
        detail = f"The journey '{journey.key}' has {count}; nothing was changed. {errors[0].problem}"
        raise ProblemError(problems.INVALID_JOURNEY, detail, errors=[finding.problem for finding in found])
    return [_view(finding) for finding in found]


async def findings_together(session: AsyncSession, key: str, *, weekly_cap: int) -> list[FindingView]:
    """What is doubtful about the journey beside the other live ones; warnings only."""
    return [_view(finding) for finding in await check_live(session, [key], weekly_cap=weekly_cap)]


def passed_moments(journey: Journey, now: datetime) -> list[FindingView]:
    """What of the journey lies behind already at `now`."""
    return [_view(finding) for finding in check_moments(journey, now)]


def _view(finding: Finding) -> FindingView:
    problem = finding.problem
    return FindingView(severity=finding.severity.value, field=problem.where, what=problem.what, remedy=problem.remedy)
