"""What messages that waited leave behind where their step was left by another way: skipped, exited, migrated.

None of it counts for anything any more; it is removed now and then, so that no step on the way has to.
"""

from datetime import datetime, timedelta

from sqlalchemy import and_, delete, exists, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from crm.models.enrollment import Enrollment
from messaging.models import HeldMessage, PromisedTurn, WaitingMessage

AT_ONCE = 5_000
_SETTLED = timedelta(days=1)
"""Which step an enrollment is at is told a moment later than what is kept for it there. By then it has been told."""
_KEPT: tuple[tuple[type[HeldMessage | PromisedTurn | WaitingMessage], InstrumentedAttribute[datetime]], ...] = (
    (HeldMessage, HeldMessage.until),
    (PromisedTurn, PromisedTurn.turn),
    (WaitingMessage, WaitingMessage.until),
)
"""What is kept for a message that waits, and until when it waits."""


async def remove_leftovers(session: AsyncSession, now: datetime) -> int:
    """Remove what is kept for messages whose enrollment has ended, or is at another step a day after they should go.

    At most so many of each kind as `AT_ONCE` says. Returns the larger number: less than `AT_ONCE` where all is done.
    """
    removed = [await _remove(session, kept, until, now) for kept, until in _KEPT]
    return max(removed)


async def _remove(
    session: AsyncSession,
    kept: type[HeldMessage | PromisedTurn | WaitingMessage],
    until: InstrumentedAttribute[datetime],
    now: datetime,
) -> int:
    ended = exists().where(Enrollment.id == kept.enrollment_id, Enrollment.ended_at.is_not(None))
    at_step = exists().where(Enrollment.id == kept.enrollment_id, Enrollment.step == kept.step)
    key = tuple(kept.__table__.primary_key)
    # Who removes at the same time takes others; a row that a send holds is one that still counts.
    void = select(*key).where(or_(ended, and_(until < now - _SETTLED, ~at_step))).limit(AT_ONCE)
    gone = delete(kept).where(tuple_(*key).in_(void.with_for_update(of=kept, skip_locked=True)))
    return len((await session.execute(gone.returning(*key))).all())
