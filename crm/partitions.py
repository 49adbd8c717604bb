"""Monthly partitions of the event log, made ahead of time. Rows of a month without one lie in `events_default`."""

from datetime import UTC, datetime

from dateutil.relativedelta import relativedelta
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_ONE_AT_A_TIME = 4_711_002
"""Key of the advisory lock of whoever makes partitions."""


async def ensure_partitions(session: AsyncSession, now: datetime, months_ahead: int = 3) -> None:
    """Make the partitions of this month (UTC) and the next `months_ahead`. Harmless to call twice or at the same time.

    Give it a transaction of its own: it sets a lock timeout of five seconds for the rest of the transaction, so that
    it gives up (and is tried again another time) rather than make every reader and writer of events wait behind it.
    """
    await session.execute(text("SET LOCAL lock_timeout = '5s'"))
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for month in range(months_ahead + 1):
        await _ensure_month(session, first + relativedelta(months=month))


async def _ensure_month(session: AsyncSession, start: datetime) -> None:
    name = f"events_{start:%Y_%m}"
    if await session.scalar(text("SELECT to_regclass(:name)"), {"name": name}) is not None:
        return
    first, last = (f"'{day:%Y-%m-%d} UTC'" for day in (start, start + relativedelta(months=1)))
    # Nobody may add rows of the month to the default partition between the move and the attachment.
    await session.execute(text("LOCK TABLE events_default IN ACCESS EXCLUSIVE MODE"))
    await session.execute(text(f"CREATE TABLE {name} (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"))
    moved = f"DELETE FROM events_default WHERE received_at >= {first} AND received_at < {last} RETURNING *"  # noqa: S608 -- our own literals
    await session.execute(text(f"WITH moved AS ({moved}) INSERT INTO {name} SELECT * FROM moved"))  # noqa: S608 -- same
    await session.execute(text(f"ALTER TABLE events ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({last})"))
