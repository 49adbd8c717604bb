"""What must be seen to now and then, by any process of the installation: next month's partitions of the event log."""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from crm.partitions import ensure_partitions
from kit.clock import Clock
from kit.database import Sessions

_DAY = timedelta(days=1)
_AGAIN_AFTER_FAILURE = timedelta(minutes=5)

_log = structlog.get_logger(__name__)


async def keep_partitions(sessions: Sessions, clock: Clock) -> None:
    """Make the partitions of this and the next months at the start and once a day, until cancelled."""
    while True:
        rest = _DAY
        try:
            async with sessions.begin() as session:
                await ensure_partitions(session, clock())
        except (SQLAlchemyError, OSError) as error:
            rest = _AGAIN_AFTER_FAILURE
            _log.warning("partitions_not_made", reason=type(error).__name__, again_in_seconds=rest.total_seconds())
        await asyncio.sleep(rest.total_seconds())
