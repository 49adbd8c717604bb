"""The API's connection to Temporal: made when it is first needed, so that the API starts and works without it."""

import asyncio
from collections.abc import Awaitable, Callable

from temporalio.client import Client

from kit.errors import Unavailable

CONNECT_WITHIN_SECONDS = 3.0


class TemporalConnection:
    """A client that connects on demand; requests at the same time share one attempt, and a failed one is forgotten."""

    def __init__(self, connect: Callable[[], Awaitable[Client]]) -> None:
        self._connect = connect
        self._client: Client | None = None
        self._attempt: asyncio.Task[Client] | None = None

    async def client(self) -> Client:
        """The connected client. Raises `kit.errors.Unavailable` where the server does not answer within seconds."""
        if self._client is None:
            if self._attempt is None or self._attempt.done():
                self._attempt = asyncio.create_task(self._connect_in_time())
            self._client = await asyncio.shield(self._attempt)
        return self._client

    async def close(self) -> None:
        """Give up an attempt that is under way."""
        if self._attempt is not None and not self._attempt.done():
            self._attempt.cancel()
            await asyncio.gather(self._attempt, return_exceptions=True)

    async def _connect_in_time(self) -> Client:
        try:
            async with asyncio.timeout(CONNECT_WITHIN_SECONDS):
                return await self._connect()
        except (RuntimeError, TimeoutError) as error:
            raise Unavailable("Temporal does not answer.", remedy="Check that it runs, then try again.") from error
