"""Being woken by PostgreSQL: `LISTEN` on a connection of its own, so that whoever has nothing to do asks nobody.

A notification is a hint that there may be work, never the work itself: the reader looks into its table. What is done
with a wake-up is in `intake.consumer` and `intake.relay`.
"""

import asyncio
import contextlib
from collections.abc import Collection
from types import TracebackType
from typing import Any, Self

import psycopg
import structlog
from psycopg import sql

APPLICATION_NAME = "dauerlauf-wakeups"
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_CONNECTION: dict[str, Any] = {
    "autocommit": True,
    "application_name": APPLICATION_NAME,
    "connect_timeout": 5,
    # A peer that vanished without a word is noticed within a minute; readers sweep every half minute anyway.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}

_log = structlog.get_logger(__name__)


class Wakeups:
    """Listens to channels while entered. One reader per channel: a wake-up is told once.

    Every channel is up at the start and after each reconnection, since what was notified meanwhile is lost. While the
    database is away, `wait` runs into its timeouts; the connection comes back by itself.
    """

    def __init__(self, database_url: str, channels: Collection[str]) -> None:
        self._url = f"postgresql://{database_url.partition('://')[2]}"
        self._raised = {channel: asyncio.Event() for channel in channels}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.raise_all()
        self._task = asyncio.create_task(self._listen_for_ever(), name="wakeups")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def wait(self, channel: str, timeout: float) -> bool:  # noqa: ASYNC109 - running out is an answer
        """Whether the channel was notified since the last call, waiting at most `timeout` seconds for it."""
        raised = self._raised[channel]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await raised.wait()
        was_raised = raised.is_set()
        raised.clear()
        return was_raised

    def raise_all(self) -> None:
        """Wake every reader."""
        for raised in self._raised.values():
            raised.set()

    async def _listen_for_ever(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, **_CONNECTION) as connection:
                    pause = _FIRST_PAUSE
                    await self._listen(connection)
            except (psycopg.Error, OSError) as error:
                _log.warning("database_wakeups_lost", error=type(error).__name__, again_in_seconds=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _listen(self, connection: psycopg.AsyncConnection) -> None:
        for channel in self._raised:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        self.raise_all()
        async for notification in connection.notifies():
            self._raised[notification.channel].set()
