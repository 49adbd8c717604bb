"""What follows from the end of an enrollment for others, in the transaction that writes it: the event that tells it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.enrollments import EnrollmentRepository
from crm.events import DERIVED, EventRepository, NewEvent
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
    """Have the event happen that follows from an end (ADR 0019). That of a goal has happened when the goal was met.

    The end of a test run is no event: nothing may begin by it.

    `at` is when it ended, aware; `step` the one that was left last, None where there was none.

    Raises:
        NotFound: there is no such enrollment (any more).
    """
    name = _ENDS.get(state)
    if name is None:
        return
    enrollment = await EnrollmentRepository(session).get(enrollment_id)
    if enrollment is None:
        raise NotFound(f"There is no enrollment {enrollment_id}.", remedy="Its contact may have been erased.")
    if enrollment.is_test:
        return
    properties = {"journey": enrollment.journey_key}
    if step is not None:
        properties["step"] = step
    ended = NewEvent(
        event_id=f"{name}:{enrollment_id}",
        contact_id=enrollment.contact_id,
        name=name,
        occurred_at=at,
        properties=properties,
        source=DERIVED,
    )
    await EventRepository(session).accept([ended])
