"""Monthly partitions of the event log, made ahead of time. Rows of a month without one lie in `events_default`."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession


async def ensure_partitions(session: AsyncSession, now: datetime, months_ahead: int = 3) -> None:
    """Make the partitions of this month and the next `months_ahead`. Harmless to call twice or at the same time."""
    raise NotImplementedError
