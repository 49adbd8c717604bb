"""The guardian process: ends the stack's processes when their supervisor is gone. It runs alone, by its file path.

It reads `+PID SIGNAL` (watch) and `-PID` (forget) from a pipe whose other end only the supervisor holds. When the
supervisor dies, however it dies, the kernel closes that end; the guardian then ends every process group it still
watches: first with the signal it was told, and after the time of grace by SIGKILL. Until then it sleeps in
`read`. Its one argument is the time of grace in seconds.

Only a few modules of the standard library: it must stay small and start fast. Talking to it: `cli.stack.guard`.
"""

import contextlib
import os
import signal
import sys
import time

LOOK_EVERY_SECONDS = 0.05


def main() -> None:
    """Reads instructions from standard input until it ends, then ends what is still watched."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watched: dict[int, int] = {}
    for line in sys.stdin.buffer:
        follow(line.decode("ascii"), watched)
    end(watched, grace_seconds=float(sys.argv[1]))


def follow(instruction: str, watched: dict[int, int]) -> None:
    """Carries out one instruction. One that was cut off by the supervisor's death is ignored."""
    words = instruction[1:].split()
    if not instruction.endswith("\n") or not words:
        return
    if instruction[0] == "+":
        watched[int(words[0])] = int(words[1])
    else:
        watched.pop(int(words[0]), None)


def end(watched: dict[int, int], *, grace_seconds: float) -> None:
    """Ends the watched process groups: politely, then, after the time of grace, for good."""
    for group, number in watched.items():
        tell(group, number)
    give_up = time.monotonic() + grace_seconds
    while any(map(lives, watched)) and time.monotonic() < give_up:
        time.sleep(LOOK_EVERY_SECONDS)
    for group in watched:
        tell(group, signal.SIGKILL)


def tell(group: int, number: int) -> None:
    """Sends a signal to a process group; one that is gone needs none."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def lives(group: int) -> bool:
    """Whether anything of the group is left."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
