"""What a stack leaves in its state directory for others: `stack.json` with addresses and process ids, and a lock.

The lock is held by the supervisor as long as it lives, so it tells a running stack from one that was killed; the
record alone cannot. `dauerlauf status`, `down` and a second `up` read both.
"""

import contextlib
import fcntl
import os
import signal
from datetime import datetime
from pathlib import Path
from typing import Self

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

_RECORD = "stack.json"
_LOCK = "stack.lock"
_CLOCK_TOLERANCE_SECONDS = 2.0


class ProcessRecord(BaseModel):
    """One process, named so that a later process with the same number is not mistaken for it."""

    model_config = ConfigDict(frozen=True)

    name: str
    pid: int
    created: float
    stop_signal: int = signal.SIGTERM
    log: str = ""
    restarts: int = 0

    @classmethod
    def of(cls, pid: int, *, name: str, stop_signal: int = signal.SIGTERM, log: str = "", restarts: int = 0) -> Self:
        """The record of a process that runs now; a process already gone gets a creation time that fits none."""
        try:
            created = psutil.Process(pid).create_time()
        except psutil.Error:
            created = 0.0
        return cls(name=name, pid=pid, created=created, stop_signal=stop_signal, log=log, restarts=restarts)

    def process(self) -> psutil.Process | None:
        """The process if it still runs, else None."""
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < _CLOCK_TOLERANCE_SECONDS
            if same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


class Addresses(BaseModel):
    """Where a stack answers. Empty strings for parts that it does not run."""

    model_config = ConfigDict(frozen=True)

    api: str = ""
    api_docs: str = ""
    inbox: str = ""
    smtp: str = ""
    temporal: str = ""
    temporal_ui: str = ""
    database_url: str = ""


class StackRecord(BaseModel):
    """The content of `stack.json`. Ports outlive the stack, so that the next start listens at the same addresses."""

    version: int = 1
    started_at: datetime | None = None
    supervisor: ProcessRecord | None = None
    processes: tuple[ProcessRecord, ...] = ()
    addresses: Addresses = Addresses()
    ports: dict[str, int] = {}

    @classmethod
    def read(cls, state_directory: Path) -> Self:
        """The record in the directory; an empty one if there is none, or none that can be read."""
        try:
            return cls.model_validate_json((state_directory / _RECORD).read_bytes())
        except (OSError, ValidationError):
            return cls()

    def write(self, state_directory: Path) -> None:
        """Replaces the record in one step: a reader sees the old or the new one, never half of it."""
        draft = state_directory / f"{_RECORD}.new"
        draft.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        draft.replace(state_directory / _RECORD)

    def living(self) -> tuple[ProcessRecord, ...]:
        """The recorded processes that still run, the supervisor among them."""
        everyone = (*self.processes, *((self.supervisor,) if self.supervisor is not None else ()))
        return tuple(record for record in everyone if record.process() is not None)


class StateLock:
    """The right to run a stack on a state directory. Released by the kernel when the holder dies."""

    def __init__(self, state_directory: Path) -> None:
        self._path = state_directory / _LOCK
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Takes the lock without waiting. False if another process holds it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Gives the lock back. Does nothing if it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_running(state_directory: Path) -> bool:
    """Whether a supervisor runs on the directory now."""
    if not (state_directory / _LOCK).exists():
        return False
    lock = StateLock(state_directory)
    if lock.acquire():
        lock.release()
        return False
    return True


def end_leftovers(record: StackRecord, *, seconds: float = 20.0) -> None:
    """Ends processes of a stack whose supervisor and guardian were both killed. Blocks until they are gone."""
    found: list[psutil.Process] = []
    for entry in record.living():
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(entry.pid)
            process.send_signal(entry.stop_signal)
            found.append(process)
    _, alive = psutil.wait_procs(found, timeout=seconds)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=seconds)
