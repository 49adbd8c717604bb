"""One child process: how it is launched, where it writes, how it is ended. The only place that starts programs.

Knows nothing of what the program does, or when it is ready: that is `cli.stack.server`.
"""

import asyncio
import contextlib
import os
import pwd
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from cli.stack.guard import Guard

_LOG_KEPT_BYTES = 5_000_000
_READ_BYTES = 500_000
_LONGEST_LINE = 300
_FIRST_LINES = 8
_LAST_LINES = 8


@dataclass(frozen=True)
class Launch:
    """What to start. `user` names the system user to run as; None means the present one."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 15.0
    user: str | None = None


class Child:
    """A running program in its own process group, writing to a log file and watched by a guardian."""

    def __init__(self, launch: Launch, *, log: Path, guard: Guard) -> None:
        self._launch = launch
        self._log = log
        self._guard = guard
        self._log_start = _make_room(log)
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 -- commands of this package, never a shell
                launch.command,
                env=launch.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **identity(launch.user),
            )
        guard.watch(self.pid, stop_signal=launch.stop_signal)

    @property
    def pid(self) -> int:
        """The process id, which is the id of its group too."""
        return self._process.pid

    @property
    def stop_signal(self) -> signal.Signals:
        """The signal that asks it to end."""
        return self._launch.stop_signal

    def exit_code(self) -> int | None:
        """None while it runs; else its exit code, negative if a signal ended it."""
        return self._process.poll()

    def wait(self, timeout: float | None = None) -> int:
        """Blocks until the process has ended and returns its exit code.

        Raises:
            subprocess.TimeoutExpired: it runs on after `timeout` seconds.
        """
        code = self._process.wait(timeout)
        self._guard.release(self.pid)
        return code

    async def ended(self) -> int:
        """Waits until the process has ended, without polling. Returns its exit code."""
        return await ended(self.wait)

    def stop(self) -> int:
        """Asks the process to end; kills its whole group if it does not within its time. Returns the exit code."""
        self._signal(self._launch.stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(self._launch.stop_seconds)
        self._signal(signal.SIGKILL)
        return self.wait()

    def last_words(self) -> str:
        """What this process wrote to its log: all of a little; of much, the beginning and the end."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read(_READ_BYTES).decode("utf-8", "replace").splitlines()
        shown = [line[:_LONGEST_LINE] for line in lines]
        if len(shown) > _FIRST_LINES + _LAST_LINES:
            shown = [*shown[:_FIRST_LINES], "…", *shown[-_LAST_LINES:]]
        return "\n".join(shown).strip()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)


async def ended(wait: Callable[[], int]) -> int:
    """What a blocking wait for a process returns. Uses a thread of its own: the loop's pool is small and for work."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[int] = loop.create_future()

    def tell(code: int) -> None:
        if not future.done():
            future.set_result(code)

    def work() -> None:
        code = wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody asks any more
            loop.call_soon_threadsafe(tell, code)

    threading.Thread(target=work, name="wait-for-process", daemon=True).start()
    return await future


class Identity(TypedDict, total=False):
    """How `subprocess` is told whose rights a program gets."""

    user: int
    group: int
    extra_groups: list[int]


def identity(user: str | None) -> Identity:
    """The rights of a system user; those of this process for None."""
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def run(launch: Launch, *, log: Path, standard_input: str = "", timeout: float = 120.0) -> int:
    """Runs a short program to its end, appending what it says to the log. Returns its exit code.

    Raises:
        subprocess.TimeoutExpired: it took longer than `timeout` seconds, and was killed.
    """
    with log.open("ab") as output:
        return subprocess.run(  # noqa: S603 -- commands of this package, never a shell
            launch.command,
            env=launch.environment,
            input=standard_input.encode(),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            timeout=timeout,
            check=False,
            **identity(launch.user),
        ).returncode


def _make_room(log: Path) -> int:
    """Keeps one older log when this one has grown large. Returns where the next process's words will begin."""
    log.parent.mkdir(parents=True, exist_ok=True)
    size = log.stat().st_size if log.exists() else 0
    if size <= _LOG_KEPT_BYTES:
        return size
    log.replace(log.with_suffix(".1.log"))
    return 0
