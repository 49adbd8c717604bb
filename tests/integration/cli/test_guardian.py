"""Whatever kills the parent, its servers end with it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil

from cli.stack.child import Child, Launch
from cli.stack.guard import Guard
from tests.support.processes import those_alive

_SERVERS = """
import sys, time
from pathlib import Path
from cli.stack.embedded import EmbeddedPostgres, EmbeddedTemporal
from cli.stack.guard import Guard
directory = Path(sys.argv[1])
guard = Guard()
postgres = EmbeddedPostgres(directory / "postgres", durable=False, guard=guard)
temporal = EmbeddedTemporal(directory, database_file=directory / "temporal.sqlite", guard=guard)
postgres.start()
temporal.start()
print(postgres.child.pid, temporal.child.pid, guard.process.pid, flush=True)
time.sleep(600)
"""

_STACK = """
import asyncio, sys
from pathlib import Path
from cli.stack.record import StackRecord
from cli.stack.supervisor import Part, Stack, StackOptions
async def main():
    parts = frozenset({Part.POSTGRES, Part.TEMPORAL, Part.INBOX})
    free = dict.fromkeys(("api_port", "inbox_port", "smtp_port", "temporal_port", "ui_port"), 0)
    async with Stack(StackOptions(state_directory=Path(sys.argv[1]), parts=parts, **free)) as stack:
        print(*(record.pid for record in StackRecord.read(Path(sys.argv[1])).processes), flush=True)
        await stack.wait()
asyncio.run(main())
"""


@contextmanager
def parent(program: str, directory: Path) -> Iterator[tuple["subprocess.Popen[str]", Sequence[int]]]:
    """A process that starts servers and prints their ids; killed at the end, if it still runs."""
    with subprocess.Popen([sys.executable, "-c", program, directory], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, [int(word) for word in process.stdout.readline().split()]
        finally:
            process.kill()


def with_backends(pids: Sequence[int]) -> set[int]:
    """The processes with everything below them: PostgreSQL has a process of its own for each task."""
    return {one.pid for pid in pids for one in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))}


def test_servers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with parent(_SERVERS, tmp_path) as (process, pids):
        assert len(pids) == 3
        everyone = with_backends(pids)
        assert len(everyone) > 3
        process.kill()
    assert those_alive(everyone) == []


def test_a_whole_stack_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    with parent(_STACK, tmp_path) as (process, pids):
        assert len(pids) == 4
        everyone = with_backends(pids)
        process.kill()
    assert those_alive(everyone) == []


def test_the_guardian_itself_is_deaf_to_polite_signals(tmp_path: Path) -> None:
    with parent(_SERVERS, tmp_path) as (process, pids):
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            os.kill(pids[-1], number)
        process.kill()
    assert those_alive(pids) == []


def test_a_killed_guardian_is_replaced_and_the_new_one_knows_what_to_watch(tmp_path: Path) -> None:
    guard = Guard()
    child = Child(Launch(["/bin/sleep", "600"]), log=tmp_path / "log", guard=guard)
    assert guard.process is not None
    guard.process.kill()
    guard.process.wait()
    guard.start()
    with ThreadPoolExecutor() as threads:
        end = threads.submit(child.wait)
        guard.close()
        assert end.result() == -signal.SIGTERM


def test_what_ignores_the_polite_signal_is_killed(tmp_path: Path) -> None:
    guard = Guard(grace_seconds=0.2)
    stubborn = "import signal, sys, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    child = Child(Launch([sys.executable, "-c", stubborn]), log=tmp_path / "log", guard=guard)
    while child.exit_code() is None and "deaf" not in child.last_words():
        pass
    guard.close()
    assert child.wait() == -signal.SIGKILL


def test_what_was_released_is_left_alone(tmp_path: Path) -> None:
    guard, keeper = Guard(), Guard()
    child = Child(Launch(["/bin/sleep", "600"]), log=tmp_path / "log", guard=keeper)
    guard.watch(child.pid, stop_signal=signal.SIGTERM)
    guard.release(child.pid)
    guard.close()
    assert child.exit_code() is None
    assert child.stop() == -signal.SIGTERM
    keeper.close()
