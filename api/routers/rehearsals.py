"""What would happen if a contact came to a journey now: the tester for authors and support. Nothing is stored."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import Field
from sqlalchemy import select

from api import problems
from api.dependencies import ClockDep, SessionDep, SettingsDep
from api.errors import ProblemError
from api.operation import operation
from api.references import reference_to
from api.requests import JsonRoute
from api.routers.journeys import JourneyKey, unknown_journey
from api.schemas.enrollments import EnrollmentRequest
from api.schemas.fields import EXAMPLE_INSTANT, Identifier, Output
from crm.access import Scope
from crm.contacts import ContactRepository
from crm.journeys import JourneyRepository
from crm.models.event import Event
from crm.models.journey import JourneyVersion
from intake.admission import Door
from intake.aftermath import aftermath_of
from intake.foresight import Foresight, look_ahead_of
from intake.reentry import EnrollmentRefusal
from intake.rehearsal import NO_ENTRY, Visitor, rehearse
from journeys.steps.send import SendNode
from journeys.values import EventName
from kit.errors import Conflict
from workflows.details import instant

router = APIRouter(tags=["Enrollments"], route_class=JsonRoute)


class RehearsalRequest(EnrollmentRequest):
    """Who would come, and how."""

    event: EventName | None = Field(default=None, description="The event; without it an entry over the API is meant.")
    event_id: Identifier | None = Field(
        default=None,
        description="In place of `event` and `properties`: an event of the contact that has happened already.",
    )
    draft: bool = Field(default=False, description="Ask the draft, as if it were live.")


class CheckView(Output):
    """One question at the door, in the order in which they are asked."""

    name: Literal["event", "inside", "again", "open", "goal_before", "audience", "exit", "address", "places"]
    holds: bool | None = Field(description="Whether it lets the contact in; null where it cannot be judged.")
    because: str
    depth: int = Field(description="0: a question; more: a property, or a condition inside another.")


class AftermathView(Output):
    """What came of an event that has happened, when it came."""

    outcome: Literal["entered", "refused", "nothing"]
    at: datetime | None
    enrollment_id: UUID | None
    reason: EnrollmentRefusal | None
    because: str


class ForeseenView(Output):
    """A step the contact would come to."""

    step: str
    kind: str
    doing: str = Field(description="What it does, in words.")
    reached_at: datetime
    due_at: datetime | None = Field(
        description="When it would be left, or its message leave; null where it would not go on by itself."
    )
    local_time: str | None = Field(description="The same where the contact lives.")
    template: str | None = Field(description="What would be sent.")
    result: str = Field(description="The word it would end with; empty where it has none.")
    because: str = Field(description="What moves it or decides it; of a step that does not go on, why.")


class ScheduleView(Output):
    """When each step would be due, if the contact entered now and nothing happened to it after that."""

    zone: str = Field(description="The contact's time zone.")
    steps: list[ForeseenView]
    assumptions: list[str] = Field(description="What was taken for granted.")


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
    aftermath: AftermathView | None = Field(
        default=None,
        description="Of an event that has happened (`event_id`): what came of it then. All else is of now.",
    )
    schedule: ScheduleView | None = Field(
        description="When the steps would be due if it entered now, refused or not; null: the event opens nothing."
    )


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
    schedule=ScheduleView(
        zone="Europe/Berlin",
        steps=[
            ForeseenView(
                step="reminder",
                kind="send",
                doing="send 'reminder' by email",
                reached_at=EXAMPLE_INSTANT,
                due_at=EXAMPLE_INSTANT,
                local_time="Sun 1 Mar 10:30 Europe/Berlin",
                template="reminder",
                result="sent",
                because="",
            )
        ],
        assumptions=["Nothing happens to the contact meanwhile."],
    ),
)
_REQUEST = {"contact": {"user_id": "customer-4711"}, "event": "order.placed", "properties": {"amount": 50}}


@router.post(
    "/v1/journeys/{key}/enrollments/dry-run",
    **operation(
        Scope.READ,
        problems.UNKNOWN_JOURNEY,
        problems.UNKNOWN_CONTACT,
        problems.NOT_FOUND,
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

    With it when each step would be due, in the contact's own time zone, with its holidays and quiet hours.

    Nothing is stored, and no contact is made. The event is not in the log, so conditions on events and on the score
    judge without it. Journeys entered by time are asked without an event, as if the time had come.

    With `event_id` it tells of an event that has happened what came of it then, and what it would come to now.
    """
    contact = await ContactRepository(session).find(reference_to(request.contact))
    version = await _version(session, key, request, None if contact is None else contact.id)
    if contact is None:
        raise ProblemError(problems.UNKNOWN_CONTACT, "There is no such contact. Identify it first.")
    visitor = Visitor(contact.id, request.event, dict(request.properties), request.entry_key)
    aftermath = None
    if request.event_id is not None:
        event = await _happened(session, contact.id, request.event_id)
        visitor = replace(visitor, event=event.name, properties=dict(event.properties))
        aftermath = AftermathView.model_validate(await aftermath_of(session, key, contact.id, event.event_id))
    now = clock()
    found = await rehearse(session, Door.of(version), visitor, now, digest_key=settings.digest_key)
    schedule = None
    if found.outcome != NO_ENTRY:
        ahead = await look_ahead_of(session, version, contact, visitor.properties, now, settings=settings)
        schedule = _schedule_view(ahead, now)
    names = ("version", "outcome", "reason", "because", "holdout", "retry_until")
    told = {name: getattr(found, name) for name in names}
    checks = [CheckView.model_validate(check) for check in found.checks]
    return RehearsalView(**told, checks=checks, schedule=schedule, aftermath=aftermath)


async def _happened(session: SessionDep, contact_id: UUID, event_id: str) -> Event:
    """The contact's event of that id. Raises `ProblemError` (404) where there is none."""
    query = select(Event).where(Event.contact_id == contact_id, Event.event_id == event_id)
    event: Event | None = await session.scalar(query)
    if event is None:
        remedy = "GET /v1/contacts/{contact_id}/events lists those there are."
        raise ProblemError(problems.NOT_FOUND, f"The contact has no event {event_id!r}. {remedy}")
    return event


def _schedule_view(ahead: Foresight, now: datetime) -> ScheduleView:
    steps = [
        ForeseenView(
            step=one.step,
            kind=one.node.kind,
            doing=one.doing,
            reached_at=one.reached_at,
            due_at=one.due_at,
            local_time=instant(one.due_at, ahead.zone, now=now) if one.due_at else None,
            template=one.node.template if isinstance(one.node, SendNode) else None,
            result=one.result,
            because=one.because,
        )
        for one in ahead.steps
    ]
    return ScheduleView(zone=ahead.zone, steps=steps, assumptions=list(ahead.assumptions))


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
