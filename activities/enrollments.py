"""The activity that writes where an enrollment stands; and the same for every action, in the action's transaction."""

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity

from activities.emitting import enrollment_of
from activities.errors import as_failures
from crm.enrollments import EnrollmentRepository
from crm.events import DERIVED, EventRepository, NewEvent
from crm.models.enrollment import Enrollment
from crm.tasks import TaskRepository
from journeys.outcomes import ENDED, JourneyState
from journeys.values import JOURNEY_COMPLETED, JOURNEY_EXITED
from kit.database import Sessions
from workflows.ports import EnrollmentPort, Progress


class EnrollmentActivities(EnrollmentPort):
    """`EnrollmentPort` on PostgreSQL."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @activity.defn(name="record_progress")
    async def record_progress(self, request: Progress) -> None:
        """Write state, step and decisions. Writing the same twice changes nothing."""
        with as_failures():
            async with self._sessions.begin() as session:
                await write_progress(session, request)


async def write_progress(session: AsyncSession, progress: Progress) -> None:
    """Write the progress that rides on an action, within the action's transaction.

    Raises:
        NotFound: the enrollment does not exist.
    """
    stands = await EnrollmentRepository(session).record(
        progress.enrollment_id,
        state=progress.state,
        step=progress.step,
        since=progress.since,
        due_at=progress.due_at,
        attention=progress.attention,
        outcome=progress.outcome,
        decisions=progress.decisions,
    )
    if progress.state in ENDED:
        await TaskRepository(session).cancel_left(progress.enrollment_id, progress.since)
        if stands:
            await _tell_end(session, progress)


async def _tell_end(session: AsyncSession, progress: Progress) -> None:
    if progress.state in _ENDS:
        ended = end_of(await enrollment_of(session, progress.enrollment_id), progress)
        await EventRepository(session).accept([ended] if ended is not None else [])


def end_of(enrollment: Enrollment, progress: Progress) -> NewEvent | None:
    """The event that follows from the end of an enrollment; None of a goal: its event was when the goal was met."""
    name = _ENDS.get(progress.state)
    if name is None:
        return None
    properties = {"journey": enrollment.journey_key}
    if progress.decisions:
        properties["step"] = progress.decisions[-1].step
    return NewEvent(
        event_id=f"{name}:{progress.enrollment_id}",
        contact_id=enrollment.contact_id,
        name=name,
        occurred_at=progress.since,
        properties=properties,
        source=DERIVED,
    )


_ENDS = {JourneyState.COMPLETED: JOURNEY_COMPLETED, JourneyState.EXITED: JOURNEY_EXITED}
