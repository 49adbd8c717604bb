"""What the actions on a contact share: the events that follow from a step, and the enrollment it belongs to.

The id of such an event is made of enrollment, step, iteration and name, so that a repeated attempt tells nothing twice.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.enrollments import EnrollmentRepository
from crm.events import DERIVED, EventRepository, NewEvent
from crm.models.enrollment import Enrollment
from journeys import causes
from journeys.causes import Origin, led_by
from kit.errors import NotFound
from workflows.ports import ActionRequest


async def enrollment_of(session: AsyncSession, enrollment_id: UUID) -> Enrollment:
    """The enrollment.

    Raises:
        NotFound: there is none (any more).
    """
    enrollment = await EnrollmentRepository(session).get(enrollment_id)
    if enrollment is None:
        raise NotFound(f"There is no enrollment {enrollment_id}.", remedy="Its contact may have been erased.")
    return enrollment


def event_id_of(request: ActionRequest, name: str) -> str:
    """The id of the event of this name that follows from the step."""
    return causes.event_id_of(name, Origin(request.enrollment_id, request.step, request.iteration))


async def cause_of(session: AsyncSession, request: ActionRequest, enrollment: Enrollment) -> str | None:
    """Id of the event that led the enrollment to the step; None where it was entered without one and none has come."""
    written = await EnrollmentRepository(session).decisions(enrollment.id)
    own = {one.ordinal: one.cause_event_id for one in written}
    own |= {one.ordinal: one.cause_event_id for one in request.progress.decisions}
    return [enrollment.entry_event_id, *led_by(enrollment.entry_event_id, (own[key] for key in sorted(own)))][-1]


async def was_done(session: AsyncSession, request: ActionRequest, name: str) -> bool:
    """Whether an earlier attempt, whose answer was lost, has done this already: then the answer is the same."""
    return await EventRepository(session).is_known(event_id_of(request, name))


async def emit(session: AsyncSession, request: ActionRequest, name: str, properties: Mapping[str, Any]) -> None:
    """Have the event happen that follows from the step."""
    event = NewEvent(
        event_id=event_id_of(request, name),
        contact_id=request.contact_id,
        name=name,
        occurred_at=request.now,
        properties=properties,
        source=DERIVED,
    )
    await EventRepository(session).accept([event])
