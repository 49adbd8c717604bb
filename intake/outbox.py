"""Writing the outbox: what Temporal must be told, in the transaction of what it follows from. See `intake.relay`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.enrollment import Enrollment
from intake.models import OutboxEntry, OutboxKind
from kit.clock import wall_clock
from workflows.messages import EXIT_REQUESTED, Delivery


def put_start(session: AsyncSession, enrollment_id: UUID) -> None:
    """Have the enrollment's workflow started. Everything about it is read when the relay gets there."""
    session.add(OutboxEntry(enrollment_id=enrollment_id, kind=OutboxKind.START, payload={}))


def put_delivery(
    session: AsyncSession,
    enrollment_id: UUID,
    *,
    event_id: str,
    at: datetime,
    criteria: Sequence[str],
    reason: str = "",
    version: int | None = None,
    exit_at: Sequence[str] | None = None,
) -> None:
    """Tell the enrollment's workflow that an event met these criteria of this version.

    `at` is when it occurred, aware. Without a version they are criteria that every one has. With `exit_at` a requested
    exit is meant for those at one of these steps.
    """
    delivery = Delivery(
        enrollment_id=enrollment_id,
        event_id=event_id,
        at=at,
        criteria=list(criteria),
        reason=reason,
        version=version,
        exit_at=None if exit_at is None else list(exit_at),
    )
    session.add(
        OutboxEntry(enrollment_id=enrollment_id, kind=OutboxKind.DELIVER, payload=delivery.model_dump(mode="json"))
    )


async def request_exit(
    session: AsyncSession, enrollment: Enrollment, *, reason: str, event_id: str, at: datetime | None = None
) -> None:
    """Have the enrollment end as exited, for a reason people will read (no personal data).

    Asking again with the same `event_id` changes nothing; nor does asking for the exit of one that has ended. `at`
    is the moment of asking, aware; the present one by default.
    """
    if enrollment.ended_at is None:
        put_delivery(
            session,
            enrollment.id,
            event_id=event_id,
            at=at or wall_clock(),
            criteria=[EXIT_REQUESTED],
            reason=reason,
        )
        await session.flush()
