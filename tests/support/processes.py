"""Waiting for processes and for what a supervisor says, with a bound and without guessing times."""

import asyncio
import time
from collections.abc import Callable, Iterable

import psutil

PATIENCE_SECONDS = 40.0
_LOOK_EVERY_SECONDS = 0.02


def those_alive(pids: Iterable[int], *, after_seconds: float = PATIENCE_SECONDS) -> list[int]:
    """The processes that still run after so many seconds at most. One that only waits to be reaped has ended."""
    alive = list(pids)
    give_up = time.monotonic() + after_seconds
    while (alive := [pid for pid in alive if _runs(pid)]) and time.monotonic() < give_up:
        time.sleep(_LOOK_EVERY_SECONDS)
    return alive


def wait_until(condition: Callable[[], bool]) -> None:
    """Waits, blocking, for something that another process does and tells nobody.

    Raises:
        TimeoutError: it does not happen in time.
    """
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > give_up:
            raise TimeoutError
        time.sleep(_LOOK_EVERY_SECONDS)


async def until(condition: Callable[[], bool]) -> None:
    """Like `wait_until`, and lets the event loop go on meanwhile."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 -- nobody here could set an event
            await asyncio.sleep(_LOOK_EVERY_SECONDS)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Announcements:
    """Collects what a `Stack` announces; a test waits for the sentence it expects."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self._said = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, sentence: str) -> None:
        self.sentences.append(sentence)
        task = asyncio.get_running_loop().create_task(self._tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def until(self, words: str, *, times: int = 1) -> None:
        """Waits until a sentence with these words has been said so often.

        Raises:
            TimeoutError: it is not said in time.
        """
        async with asyncio.timeout(PATIENCE_SECONDS), self._said:
            await self._said.wait_for(lambda: sum(words in sentence for sentence in self.sentences) >= times)

    async def _tell(self) -> None:
        async with self._said:
            self._said.notify_all()
