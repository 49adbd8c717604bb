"""What must be seen to now and then, by any process of the installation.

The next months' partitions of the event log; what messages that waited have left behind; and test runs of long ago.
"""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from crm.partitions import ensure_partitions
from crm.tryouts import AT_ONCE as TRYOUTS_AT_ONCE
from crm.tryouts import TryoutRepository
from kit.clock import Clock
from kit.database import Sessions
from messaging.leftovers import AT_ONCE, remove_leftovers

_DAY = timedelta(days=1)
_AGAIN_AFTER_FAILURE = timedelta(minutes=5)

_log = structlog.get_logger(__name__)


async def keep_up(sessions: Sessions, clock: Clock) -> None:
    """Make partitions and remove what is left behind, at the start and once a day, until cancelled."""
    while True:
        rest = _DAY
        try:
            async with sessions.begin() as session:
                await ensure_partitions(session, clock())
            await _tidy(sessions, clock)
        except (SQLAlchemyError, OSError) as error:
            rest = _AGAIN_AFTER_FAILURE
            _log.warning("upkeep_failed", reason=type(error).__name__, again_in_seconds=rest.total_seconds())
        await asyncio.sleep(rest.total_seconds())


async def _tidy(sessions: Sessions, clock: Clock) -> None:
    removed = AT_ONCE
    while removed >= AT_ONCE:
        async with sessions.begin() as session:
            removed = await remove_leftovers(session, clock())
    forgotten = TRYOUTS_AT_ONCE
    while forgotten >= TRYOUTS_AT_ONCE:
        async with sessions.begin() as session:
            forgotten = await TryoutRepository(session).forget(clock())
