"""The supervisor's end of the guardian: starts it, tells it what to watch, starts it again if somebody ends it.

What the guardian does with that when the supervisor dies is in `cli.stack.guardian`.
"""

import contextlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

_SCRIPT = Path(__file__).with_name("guardian.py")


class Guard:
    """Watches process groups on behalf of this process. Safe to use from several threads.

    Every group told to `watch` and not released ends soon after this process does, even if this process was killed:
    what does not end by its own signal within `grace_seconds` is killed.
    """

    def __init__(self, *, grace_seconds: float = 8.0) -> None:
        self._grace_seconds = grace_seconds
        self._lock = threading.Lock()
        self._watched: dict[int, int] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> "subprocess.Popen[bytes] | None":
        """The guardian process, or None before `start`."""
        return self._process

    def start(self) -> None:
        """Starts the guardian if none lives, and tells it everything that is watched."""
        with self._lock:
            self._revive()

    def watch(self, group: int, *, stop_signal: int) -> None:
        """From now on the process group ends with this process: by `stop_signal`, and soon after by SIGKILL."""
        with self._lock:
            self._watched[group] = stop_signal
            self._say(f"+{group} {stop_signal}\n")

    def release(self, group: int) -> None:
        """The group has ended: its number may soon belong to somebody else."""
        with self._lock:
            if self._watched.pop(group, None) is not None:
                self._say(f"-{group}\n")

    def close(self) -> None:
        """Ends the guardian, and with it everything that is still watched."""
        with self._lock:
            process, self._process = self._process, None
            self._watched.clear()
        if process is not None:
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _say(self, instruction: str) -> None:
        if not self._revive():
            self._write(instruction)

    def _revive(self) -> bool:
        if self._process is not None and self._process.poll() is None:
            return False
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter and our own file
            [sys.executable, "-I", "-S", str(_SCRIPT), str(self._grace_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is for the supervisor alone
            cwd="/",
            bufsize=0,
        )
        for group, stop_signal in self._watched.items():
            self._write(f"+{group} {stop_signal}\n")
        return True

    def _write(self, instruction: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # the next instruction, or `start`, finds it dead and revives it
            self._process.stdin.write(instruction.encode("ascii"))
