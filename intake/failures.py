"""Events that cannot be applied: told from outages, set aside with the reason, and taken up again when asked to."""

from collections.abc import Collection

from sqlalchemy import delete, insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.event import Event, QueuedEvent
from intake.claims import take_out
from intake.models import IntakeFailure
from kit.errors import DauerlaufError

LONGEST_REASON = 1_000


def is_outage(error: BaseException) -> bool:
    """Whether the same work may succeed later as it is: the database is away, restarts, or is being migrated."""
    if isinstance(error, DauerlaufError):
        return error.retryable
    if isinstance(error, DBAPIError):
        # Class 42: a table or column is missing, which a deploy in progress mends and no other event would survive.
        schema = str(getattr(error.orig, "sqlstate", None) or "").startswith("42")
        return schema or isinstance(error, OperationalError | InterfaceError | InternalError)
    return isinstance(error, OSError | PoolTimeout)


def reason_of(error: BaseException) -> str:
    """The error as a reason to keep in the database beside the event: kind and first line, bounded."""
    first_line, *_ = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {first_line}"[:LONGEST_REASON]


async def set_aside(session: AsyncSession, event: Event, reason: str) -> None:
    """Park an event: out of the queue, so that those behind it are applied, and kept with the reason."""
    failure = upsert(IntakeFailure).values(
        sequence=event.sequence, received_at=event.received_at, contact_id=event.contact_id, reason=reason
    )
    await session.execute(failure.on_conflict_do_update(index_elements=["sequence"], set_={"reason": reason}))
    await take_out(session, [event])


async def take_up_again(session: AsyncSession, sequences: Collection[int] | None = None) -> int:
    """Queue parked events again, all or these; returns how many. What was applied meanwhile stays applied."""
    taken = delete(IntakeFailure).returning(IntakeFailure.sequence, IntakeFailure.received_at, IntakeFailure.contact_id)
    if sequences is not None:
        taken = taken.where(IntakeFailure.sequence.in_(sequences))
    rows = [dict(row) for row in (await session.execute(taken)).mappings()]
    if rows:
        await session.execute(insert(QueuedEvent), rows)
    return len(rows)
