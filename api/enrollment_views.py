"""Looking at one enrollment: what the database was told last, and what the running journey says itself."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api import problems
from api.errors import ProblemError
from api.schemas.enrollments import DecisionView, EnrollmentView, ExplanationView
from api.temporal import TemporalConnection
from crm.enrollments import EnrollmentRepository
from crm.models.enrollment import DecisionRecord, Enrollment
from crm.steering import SteeringRepository
from intake.stuck import kind_of
from journeys.causes import led_by
from journeys.outcomes import JourneyState
from kit.database import Sessions
from kit.errors import NotFound, Unavailable
from workflows.messages import Explanation
from workflows.starter import explain

ENDED = "It has ended; nothing runs any more."
STARTING = "It has been taken and starts as soon as Temporal is told."
AWAY = "The running journey cannot be asked now; this is what was last reported to the database."
LIVE = "As the running journey says itself."


async def found(session: AsyncSession, enrollment_id: UUID) -> Enrollment:
    """The enrollment. Raises `ProblemError` (404) where there is none."""
    enrollment = await EnrollmentRepository(session).get(enrollment_id)
    if enrollment is None:
        raise ProblemError(
            problems.UNKNOWN_ENROLLMENT, f"There is no enrollment {enrollment_id}. GET /v1/enrollments lists them."
        )
    return enrollment


async def explain_now(
    sessions: Sessions, temporal: TemporalConnection, enrollment_id: UUID, *, late: datetime
) -> ExplanationView:
    """Where the enrollment stands; no transaction is open while the running journey is asked.

    What should have happened before `late` (aware) counts as stuck.
    """
    async with sessions() as session:
        enrollment = await found(session, enrollment_id)
        paused = await SteeringRepository(session).paused_since(enrollment.journey_key) is not None
        decisions = await EnrollmentRepository(session).decisions(enrollment_id)
    live, note = await _ask(temporal, enrollment)
    return ExplanationView(
        enrollment=EnrollmentView.model_validate(enrollment),
        live=live,
        source="live" if live is not None else "projection",
        note=note,
        stuck=kind_of(
            JourneyState(enrollment.state),
            since=enrollment.since,
            due_at=enrollment.due_at,
            late=late,
            journey_paused=paused,
        ),
        decisions=decision_views(enrollment, decisions),
    )


def decision_views(enrollment: Enrollment, decisions: Sequence[DecisionRecord]) -> list[DecisionView]:
    """The decisions in their order, each with the event it goes back to."""
    causes = led_by(enrollment.entry_event_id, (decision.cause_event_id for decision in decisions))
    views = [DecisionView.model_validate(decision) for decision in decisions]
    return [view.model_copy(update={"caused_by": cause}) for view, cause in zip(views, causes, strict=True)]


async def _ask(temporal: TemporalConnection, enrollment: Enrollment) -> tuple[Explanation | None, str]:
    if enrollment.ended_at is not None:
        return None, ENDED
    try:
        return await explain(await temporal.client(), enrollment.workflow_id), LIVE
    except NotFound:
        return None, STARTING if enrollment.state == JourneyState.STARTING else AWAY
    except Unavailable as away:
        return None, f"{AWAY} {away.remedy}".strip()
