"""What would happen if a contact came to a journey now: the tester for authors and support. Nothing is stored."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import Field

from api import problems
from api.dependencies import ClockDep, SessionDep, SettingsDep
from api.errors import ProblemError
from api.operation import operation
from api.references import reference_to
from api.requests import JsonRoute
from api.routers.journeys import JourneyKey, unknown_journey
from api.schemas.enrollments import EnrollmentRequest
from api.schemas.fields import Output
from crm.access import Scope
from crm.contacts import ContactRepository
from crm.journeys import JourneyRepository
from crm.models.journey import JourneyVersion
from intake.admission import Door
from intake.reentry import EnrollmentRefusal
from intake.rehearsal import Visitor, rehearse
from journeys.values import EventName
from kit.errors import Conflict

router = APIRouter(tags=["Enrollments"], route_class=JsonRoute)


class RehearsalRequest(EnrollmentRequest):
    """Who would come, and how."""

    event: EventName | None = Field(default=None, description="The event; without it an entry over the API is meant.")
    draft: bool = Field(default=False, description="Ask the draft, as if it were live.")


class CheckView(Output):
    """One question at the door, in the order in which they are asked."""

    name: Literal["event", "inside", "again", "open", "goal_before", "audience", "address"]
    holds: bool | None = Field(description="Whether it lets the contact in; null where it cannot be judged.")
    because: str
    depth: int = Field(description="0: a question; more: a property, or a condition inside another.")


class RehearsalView(Output):
    """What would happen, and the answer to every question."""

    version: int
    outcome: Literal["would_enter", "refused", "no_entry"]
    reason: EnrollmentRefusal | None = Field(description="Of a refusal: the first, the one that would be stored.")
    because: str
    holdout: bool = Field(description="It would be held out for comparison.")
    retry_until: datetime | None = Field(
        default=None,
        description="Of a refusal by the audience: until when it would be judged again as the contact changes.",
    )
    checks: list[CheckView]


_EXAMPLE = RehearsalView(
    version=3,
    outcome="refused",
    reason=EnrollmentRefusal.AUDIENCE,
    because="no standing consent to marketing by email",
    holdout=False,
    checks=[
        CheckView(name="event", holds=True, because="contacts enter by order.placed", depth=0),
        CheckView(name="inside", holds=True, because="the contact is not inside", depth=0),
        CheckView(name="audience", holds=False, because="no standing consent to marketing by email", depth=0),
    ],
)
_REQUEST = {"contact": {"user_id": "customer-4711"}, "event": "order.placed", "properties": {"amount": 50}}


@router.post(
    "/v1/journeys/{key}/enrollments/dry-run",
    **operation(
        Scope.READ,
        problems.UNKNOWN_JOURNEY,
        problems.UNKNOWN_CONTACT,
        problems.CONFLICT,
        body=True,
        summary="Ask what would happen to a contact",
        operation_id="rehearse_enrollment",
        response_model=RehearsalView,
        example=_EXAMPLE,
    ),
)
async def rehearse_enrollment(
    key: JourneyKey,
    *,
    request: Annotated[RehearsalRequest, Body(openapi_examples={"usual": {"value": _REQUEST}})],
    session: SessionDep,
    clock: ClockDep,
    settings: SettingsDep,
) -> RehearsalView:
    """Whether the contact would enter now and why, question by question, with every condition of the audience.

    Nothing is stored, and no contact is made. The event is not in the log, so conditions on events and on the score
    judge without it. Journeys entered by time are asked without an event, as if the time had come.
    """
    contact = await ContactRepository(session).find(reference_to(request.contact))
    version = await _version(session, key, request, None if contact is None else contact.id)
    if contact is None:
        raise ProblemError(problems.UNKNOWN_CONTACT, "There is no such contact. Identify it first.")
    visitor = Visitor(contact.id, request.event, dict(request.properties), request.entry_key)
    found = await rehearse(session, Door.of(version), visitor, clock(), digest_key=settings.digest_key)
    return RehearsalView.model_validate(found)


async def _version(session: SessionDep, key: str, request: RehearsalRequest, contact_id: UUID | None) -> JourneyVersion:
    """The version the contact would come to, or the draft."""
    journeys = JourneyRepository(session)
    versions = await journeys.versions(key)
    if not versions:
        raise unknown_journey(key)
    if not request.draft:
        taking = await journeys.taking(key, contact_id) if contact_id is not None else None
        return taking or next((one for one in versions if one.published_at is not None), versions[0])
    draft = await journeys.draft(key)
    if draft is None:
        raise Conflict(f"Journey {key} has no draft.", remedy="Put a definition first, or ask the live version.")
    return draft
