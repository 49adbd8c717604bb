"""A server of the stack: a child process that is prepared, started, waited for until it is ready, and stopped.

The base class only. Which servers there are: `embedded` (PostgreSQL, Temporal) and `services` (our own processes).
"""

import subprocess
import threading
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

from cli.stack.child import Child, Launch
from cli.stack.guard import Guard
from kit.errors import Unavailable

_LOOK_EVERY_SECONDS = 0.05
_START_SECONDS = 90.0


class Server(ABC):
    """One server. Blocking; a context manager that starts and stops it. `start` may follow `stop` any number of times.

    Without a guard of the caller's it keeps one of its own, so that nothing outlives this process in any case.
    """

    def __init__(self, name: str, *, log: Path, guard: Guard | None = None) -> None:
        self.name = name
        self.log = log.absolute()
        self.child: Child | None = None
        self._guard = guard or Guard()
        self._owns_guard = guard is None
        self._stopping = threading.Event()
        self._launching = threading.Lock()

    @abstractmethod
    def launch(self) -> Launch:
        """What to start, asked anew before each start."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether the server does its work now. Must answer within a second or so, and never raise."""

    def prepare(self) -> None:  # noqa: B027 -- most servers need none
        """Makes files and directories the server needs. Called before each start."""

    def complete(self) -> None:  # noqa: B027 -- most servers need none
        """Does what can only be done once the server is ready. Called after each start."""

    def start(self) -> None:
        """Starts the server and returns when it is ready.

        Raises:
            Unavailable: it ended while starting or was not ready in time; holds the last lines of its log.
        """
        self._stopping.clear()
        try:
            self.prepare()
            self._spawn()
            self._wait_until_ready()
            self.complete()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops the server if it runs, and waits until it is gone. Also ends a `start` under way in another thread."""
        self._stopping.set()
        with self._launching:
            child = self.child
        if child is not None:
            child.stop()
        if self._owns_guard:
            self._guard.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _spawn(self) -> None:
        with self._launching:
            if self._stopping.is_set():
                raise self._failure("was stopped while it started.")
            self.child = Child(self.launch(), log=self.log, guard=self._guard)

    def _wait_until_ready(self) -> None:
        assert self.child is not None
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_ready():
            code = self.child.exit_code()
            if code is not None:
                raise self._failure(f"ended while starting ({describe_exit(code)}).")
            if time.monotonic() > deadline:
                raise self._failure(f"was not ready within {_START_SECONDS:.0f} seconds.")
            self._stopping.wait(_LOOK_EVERY_SECONDS)
        if self.child.exit_code() is not None:  # somebody else answers on its port
            raise self._failure("ended while starting: another program answers at its address.")

    def _failure(self, what: str) -> Unavailable:
        words = self.child.last_words() if self.child is not None else ""
        told = f" Its last lines:\n\n{words}\n" if words else ""
        return Unavailable(f"{self.name} {what}{told}", remedy=f"Its whole log: {self.log}")


def describe_exit(code: int) -> str:
    """An exit code as people say it: `exit code 1`, `signal 9`."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def run_to_end(name: str, launch: Launch, *, log: Path, guard: Guard) -> None:
    """Runs a short program of our own and waits for its end.

    Raises:
        Unavailable: it failed or took longer than two minutes; holds the last lines of its log.
    """
    child = Child(launch, log=log.absolute(), guard=guard)
    try:
        code = child.wait(120.0)
    except subprocess.TimeoutExpired:
        code = child.stop()
    if code != 0:
        words = child.last_words()
        raise Unavailable(f"{name} failed ({describe_exit(code)}). Its last lines:\n\n{words}\n", remedy=f"Log: {log}")
