"""`dauerlauf up`, `status` and `down` as people type them: the whole stack with worker and API."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from cli.stack.health import read_json
from cli.stack.measure import measure
from cli.stack.record import StackRecord
from tests.support.processes import PATIENCE_SECONDS, those_alive, until, wait_until

pytestmark = pytest.mark.xdist_group("up")  # one stack for all of them

_COMMAND = (sys.executable, "-P", "-c", "from cli.main import main; main()")
_FREE_PORTS = [word for name in ("api", "inbox", "smtp", "temporal", "ui") for word in (f"--{name}-port", "0")]


@dataclass(frozen=True)
class Running:
    """A stack started by the command, and where its state is."""

    process: "subprocess.Popen[str]"
    directory: Path
    output: Path

    @property
    def record(self) -> StackRecord:
        return StackRecord.read(self.directory)

    def pid_of(self, name: str) -> int:
        return next((process.pid for process in self.record.processes if process.name == name), 0)

    def says(self) -> str:
        return self.output.read_text()


def dauerlauf(*arguments: str, directory: Path) -> "subprocess.CompletedProcess[str]":
    command = [*_COMMAND, *arguments, "--state-directory", str(directory)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS * 2, check=False)


@contextmanager
def started(place: Path) -> Iterator[Running]:
    """`dauerlauf up`, until it says that everything is ready; stopped as by Ctrl-C at the end."""
    command = [*_COMMAND, "up", "--state-directory", str(place / "state"), *_FREE_PORTS]
    output = place / "output.txt"
    with (
        output.open("w") as file,
        subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, text=True) as process,
    ):
        stack = Running(process=process, directory=place / "state", output=output)
        try:
            wait_until(lambda: "Ctrl-C stops it" in stack.says() or process.poll() is not None)
            assert process.poll() is None, stack.says()
            yield stack
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started(tmp_path_factory.mktemp("up")) as stack:
        yield stack


async def test_it_prints_where_api_docs_inbox_and_temporal_ui_are_and_they_answer(running: Running) -> None:
    places = running.record.addresses
    async with httpx.AsyncClient(trust_env=False) as client:
        for address in (places.api_docs, places.inbox, places.temporal_ui):
            assert address in running.says()
            assert (await client.get(address)).status_code == 200


def test_status_lists_every_process_and_its_memory(running: Running) -> None:
    told = dauerlauf("status", directory=running.directory).stdout
    for name in ("Supervisor", "PostgreSQL", "Temporal", "Inbox", "Worker", "API", "Guardian"):
        assert name in told
    assert "MB in all" in told


def test_an_idle_stack_stays_within_900_megabytes(running: Running) -> None:
    assert sum(usage.bytes for usage in measure(running.record)) < 900_000_000


def test_a_second_up_says_where_the_first_runs(running: Running) -> None:
    second = dauerlauf("up", directory=running.directory)
    assert second.returncode == 1
    assert running.record.addresses.api in second.stderr


@pytest.mark.parametrize("name", ["Worker", "API", "Temporal", "PostgreSQL"])
async def test_a_killed_process_comes_back_and_the_stack_is_whole_again(running: Running, name: str) -> None:
    first = running.pid_of(name)
    os.kill(first, signal.SIGKILL)
    await until(lambda: running.pid_of(name) not in {0, first})
    await until(lambda: running.says().count(f"{name} is ready") > 1)
    await until(lambda: read_json(f"{running.record.addresses.api}/healthz") is not None)


def test_down_stops_everything(tmp_path: Path) -> None:
    with started(tmp_path) as stack:
        everyone = [process.pid for process in stack.record.living()]
        assert len(everyone) == 7
        assert dauerlauf("down", directory=stack.directory).returncode == 0
        assert stack.process.wait(PATIENCE_SECONDS) == 0
        assert those_alive(everyone) == []
        told = dauerlauf("status", directory=stack.directory)
        assert (told.returncode, "No stack runs" in told.stderr) == (1, True)
