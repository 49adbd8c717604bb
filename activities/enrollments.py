"""The activity that writes where an enrollment stands; and the same for every action, in the action's transaction."""

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity

from activities.errors import as_failures
from crm.ends import tell_end
from crm.enrollments import EnrollmentRepository
from crm.tasks import TaskRepository
from journeys.outcomes import ENDED
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
            left = progress.decisions[-1].step if progress.decisions else None
            await tell_end(session, progress.enrollment_id, progress.state, at=progress.since, step=left)
