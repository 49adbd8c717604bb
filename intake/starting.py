"""One journey starts another for the same contact: an entry like any other, caused by an event of its own.

The event's id is made of enrollment, step and iteration, so that a request that is repeated finds what it did.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.enrollments import EnrollmentRepository
from crm.events import DERIVED, EventRepository, NewEvent
from crm.journeys import JourneyRepository
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from intake.admission import AlreadyRunning, Enrolled, EnrollmentResult
from intake.enrollment import enroll
from intake.models import EntryRefusal
from intake.reentry import EnrollmentRefusal, NotEnrolled
from journeys.causes import Origin, event_id_of
from journeys.conditions.comparison import resolve
from journeys.steps.start import START_REQUESTED
from journeys.values import Scalar
from kit.errors import NotFound
from workflows.ports import ActionResult, StartJourney


async def start_requested(
    session: AsyncSession, request: StartJourney, *, control_group: int = 0, digest_key: SecretStr | None = None
) -> ActionResult:
    """Let the contact of the request into the journey it names, or say why not; asked again, what was said before.

    `control_group` is the percent of all contacts who get no marketing message, `digest_key` that of the
    suppression list, which is not asked without it.

    Raises:
        NotFound: there is no such journey, or the contact or the enrollment that asks is gone.
    """
    event_id = event_id_of(START_REQUESTED, Origin(request.enrollment_id, request.step, request.iteration))
    # The contact's lock keeps a second attempt waiting until the first is done.
    await session.execute(select(Contact.id).where(Contact.id == request.contact_id).with_for_update(key_share=True))
    if await EventRepository(session).is_known(event_id):
        return await _told_before(session, request, event_id)
    result = await _enter(session, request, event_id, control_group, digest_key)
    match result:
        case Enrolled(enrollment=enrollment):
            return _started(enrollment)
        case AlreadyRunning():
            return _already_running(request)
        case NotEnrolled(reason=reason, because=because):
            return _refused(reason, because)


async def _enter(
    session: AsyncSession, request: StartJourney, event_id: str, control_group: int, digest_key: SecretStr | None
) -> EnrollmentResult:
    journeys = JourneyRepository(session)
    versions = await journeys.versions(request.journey)
    if not versions:
        raise NotFound(f"There is no journey {request.journey}.", remedy="Publish it, then retry the step.")
    version = await journeys.taking(request.journey, request.contact_id) or versions[0]
    asking = await EnrollmentRepository(session).get(request.enrollment_id)
    if asking is None:
        raise NotFound(f"There is no enrollment {request.enrollment_id}.", remedy="Its contact may have been erased.")
    if asking.is_test:
        because = f"a test run starts no other journey; the contact would have been asked into {request.journey}"
        return NotEnrolled(EnrollmentRefusal.TEST_RUN, because)
    properties = _resolved(request.properties, asking.entry_properties)
    key = resolve(request.entry_key, asking.entry_properties)
    return await enroll(
        session,
        version,
        request.contact_id,
        cause_event=await _cause(session, request, event_id, properties),
        properties=properties,
        entry_key=None if key is None else str(key),
        now=request.now,
        control_group=control_group,
        digest_key=digest_key,
    )


def _resolved(asked: Mapping[str, Scalar], entry: Mapping[str, Any]) -> dict[str, Any]:
    """The properties to enter with; one that this journey's own entry does not have is left out."""
    found = {name: resolve(value, entry) for name, value in asked.items()}
    return {name: value for name, value in found.items() if value is not None}


async def _cause(
    session: AsyncSession, request: StartJourney, event_id: str, properties: Mapping[str, Any]
) -> Event | None:
    event = NewEvent(
        event_id=event_id,
        contact_id=request.contact_id,
        name=START_REQUESTED,
        occurred_at=request.now,
        properties={"journey": request.journey, "properties": dict(properties)},
        source=DERIVED,
    )
    await EventRepository(session).accept([event])
    found: Event | None = await session.scalar(select(Event).where(Event.event_id == event_id))
    return found


async def _told_before(session: AsyncSession, request: StartJourney, event_id: str) -> ActionResult:
    """The answer an earlier attempt gave, which was lost."""
    enrollment = await session.scalar(
        select(Enrollment).where(Enrollment.contact_id == request.contact_id, Enrollment.entry_event_id == event_id)
    )
    if enrollment is not None:
        return _started(enrollment)
    query = select(EntryRefusal.reason, EntryRefusal.because).where(
        EntryRefusal.contact_id == request.contact_id, EntryRefusal.cause_event_id == event_id
    )
    reason, because = (await session.execute(query)).one()
    return _already_running(request) if reason == EnrollmentRefusal.ALREADY_RUNNING else _refused(reason, because)


def _started(enrollment: Enrollment) -> ActionResult:
    return ActionResult(result="started", because=f"enrollment {enrollment.id}, version {enrollment.version}")


def _already_running(request: StartJourney) -> ActionResult:
    return ActionResult(result="already_running", because=f"the contact is inside {request.journey} already")


def _refused(reason: str, because: str) -> ActionResult:
    return ActionResult(result="refused", because=f"{reason}: {because}")
