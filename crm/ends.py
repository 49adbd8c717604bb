"""What follows from the end of an enrollment for others, in the transaction that writes it: the event that tells it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.enrollments import EnrollmentRepository
from crm.events import DERIVED, EventRepository, NewEvent
from crm.models.enrollment import Enrollment
from journeys.outcomes import JourneyState
from journeys.values import JOURNEY_COMPLETED, JOURNEY_EXITED
from kit.errors import NotFound

_ENDS = {
    JourneyState.COMPLETED: JOURNEY_COMPLETED,
    JourneyState.EXITED: JOURNEY_EXITED,
    JourneyState.TERMINATED: JOURNEY_EXITED,
}


async def tell_end(
    session: AsyncSession, enrollment_id: UUID, state: JourneyState, *, at: datetime, step: str | None
) -> None:
    """Have the event happen that follows from an end (ADR 0019), as `end_of` says it.

    Raises:
        NotFound: there is no such enrollment (any more).
    """
    if state not in _ENDS:
        return
    enrollment = await EnrollmentRepository(session).get(enrollment_id)
    if enrollment is None:
        raise NotFound(f"There is no enrollment {enrollment_id}.", remedy="Its contact may have been erased.")
    ended = end_of(enrollment, state, at=at, step=step)
    await EventRepository(session).accept([ended] if ended is not None else [])


def end_of(enrollment: Enrollment, state: JourneyState, *, at: datetime, step: str | None) -> NewEvent | None:
    """The event that follows from the end of an enrollment.

    None of a goal: its event was when the goal was met. None of a test run: nothing may begin by it.

    Args:
        enrollment: Whose end it is.
        state: How it ended.
        at: When it ended, aware.
        step: The one that was left last, None where there was none.
    """
    name = _ENDS.get(state)
    if name is None or enrollment.is_test:
        return None
    properties = {"journey": enrollment.journey_key}
    if step is not None:
        properties["step"] = step
    return NewEvent(
        event_id=f"{name}:{enrollment.id}",
        contact_id=enrollment.contact_id,
        name=name,
        occurred_at=at,
        properties=properties,
        source=DERIVED,
    )
