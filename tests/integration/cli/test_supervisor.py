import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from cli.stack.health import answers, read_json
from cli.stack.record import ProcessRecord, StackRecord, is_running
from cli.stack.supervisor import Part, RestartPolicy, Stack, StackOptions
from kit.errors import Conflict, Unavailable
from tests.support.processes import PATIENCE_SECONDS, Announcements, those_alive, until

ONLY_INBOX = frozenset({Part.INBOX})


def options(directory: Path, *, parts: frozenset[Part] = ONLY_INBOX, inbox_port: int = 0) -> StackOptions:
    return StackOptions.on_free_ports(directory, parts=parts, inbox_port=inbox_port, temporal_in_memory=True)


def pid_of(directory: Path, name: str) -> int:
    return next(record.pid for record in StackRecord.read(directory).processes if record.name == name)


@asynccontextmanager
async def a_stack(
    directory: Path, *, parts: frozenset[Part] = ONLY_INBOX, policy: RestartPolicy | None = None
) -> AsyncIterator[tuple[Stack, Announcements]]:
    said = Announcements()
    async with Stack(options(directory, parts=parts), announce=said, policy=policy) as stack:
        yield stack, said


async def test_the_record_names_what_runs_and_where(tmp_path: Path) -> None:
    async with a_stack(tmp_path) as (stack, _):
        record = StackRecord.read(tmp_path)
        assert is_running(tmp_path)
        assert record.addresses == stack.addresses
        assert answers(f"{record.addresses.inbox}/healthz")
        assert {process.name for process in record.living()} == {"Supervisor", "Inbox", "Guardian"}


async def test_a_stopped_stack_leaves_its_ports_in_the_record_and_no_process(tmp_path: Path) -> None:
    async with a_stack(tmp_path):
        before = StackRecord.read(tmp_path)
    after = StackRecord.read(tmp_path)
    assert (after.processes, after.supervisor, after.ports) == ((), None, before.ports)
    assert not is_running(tmp_path)
    assert those_alive([process.pid for process in before.processes]) == []


async def test_a_part_that_is_killed_comes_back_at_the_same_address(tmp_path: Path) -> None:
    async with a_stack(tmp_path) as (stack, said):
        first = pid_of(tmp_path, "Inbox")
        os.kill(first, signal.SIGKILL)
        await said.until("Inbox is ready", times=2)
        assert answers(f"{stack.addresses.inbox}/healthz")
        assert pid_of(tmp_path, "Inbox") != first
        assert (
            next(process for process in StackRecord.read(tmp_path).processes if process.name == "Inbox").restarts == 1
        )
    assert any("Inbox ended unexpectedly (signal 9)" in sentence for sentence in said.sentences)


async def test_postgres_and_temporal_come_back_at_the_same_address(tmp_path: Path) -> None:
    parts = frozenset({Part.POSTGRES, Part.TEMPORAL})
    async with a_stack(tmp_path, parts=parts) as (stack, said):
        for name in ("PostgreSQL", "Temporal"):
            os.kill(pid_of(tmp_path, name), signal.SIGKILL)
        await said.until("PostgreSQL is ready", times=2)
        await said.until("Temporal is ready", times=2)
        with psycopg.connect(stack.addresses.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert read_json(f"{stack.addresses.temporal_ui}/api/v1/namespaces/default") is not None


async def test_a_killed_guardian_is_replaced(tmp_path: Path) -> None:
    async with a_stack(tmp_path, policy=RestartPolicy(first_delay=0.0)):
        first = pid_of(tmp_path, "Guardian")
        os.kill(first, signal.SIGKILL)
        await until(lambda: pid_of(tmp_path, "Guardian") != first)


async def test_a_part_that_keeps_dying_is_given_up_with_the_name_of_its_log(tmp_path: Path) -> None:
    policy = RestartPolicy(first_delay=0.0, quick_seconds=60.0, quick_failures=2)
    async with a_stack(tmp_path, policy=policy) as (stack, said):
        os.kill(pid_of(tmp_path, "Inbox"), signal.SIGKILL)
        await said.until("Inbox is ready", times=2)
        os.kill(pid_of(tmp_path, "Inbox"), signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises(Unavailable, match=r"Inbox ended 2 times in a row .* says why: .*inbox\.log"):
                await stack.wait()


async def test_a_second_stack_on_the_same_state_is_told_where_the_first_runs(tmp_path: Path) -> None:
    async with a_stack(tmp_path) as (stack, _):
        with pytest.raises(Conflict, match=stack.addresses.inbox):
            await Stack(options(tmp_path)).start()
        assert answers(f"{stack.addresses.inbox}/healthz")


async def test_two_stacks_run_side_by_side(tmp_path: Path) -> None:
    async with a_stack(tmp_path / "one") as (one, _), a_stack(tmp_path / "two") as (two, _):
        assert one.addresses.inbox != two.addresses.inbox
        assert answers(f"{one.addresses.inbox}/healthz")
        assert answers(f"{two.addresses.inbox}/healthz")


async def test_a_stack_starts_at_the_addresses_of_last_time(tmp_path: Path) -> None:
    async with a_stack(tmp_path) as (stack, _):
        before = stack.addresses.inbox
    again = StackOptions(state_directory=tmp_path, parts=ONLY_INBOX)
    async with Stack(again) as stack:
        assert stack.addresses.inbox == before


async def test_a_taken_port_stops_the_start_and_leaves_nothing(tmp_path: Path) -> None:
    async with a_stack(tmp_path / "one") as (_, __):
        port = StackRecord.read(tmp_path / "one").ports["inbox"]
        with pytest.raises(Unavailable, match=f"Port {port} is taken .*--inbox-port"):
            await Stack(options(tmp_path / "two", inbox_port=port)).start()
        assert not is_running(tmp_path / "two")


async def test_a_start_that_is_broken_off_leaves_nothing(tmp_path: Path) -> None:
    stack = Stack(options(tmp_path, parts=frozenset({Part.POSTGRES, Part.TEMPORAL, Part.INBOX})))
    start = asyncio.create_task(stack.start())
    await until(lambda: bool(StackRecord.read(tmp_path).processes))
    begun = StackRecord.read(tmp_path).processes
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert not is_running(tmp_path)
    assert those_alive([process.pid for process in begun]) == []


async def test_processes_a_killed_predecessor_left_are_ended_before_the_start(tmp_path: Path) -> None:
    """Supervisor and guardian were both killed: only the record still knows the orphan."""
    orphan = await asyncio.create_subprocess_exec("/bin/sleep", "600", start_new_session=True)
    record = StackRecord()
    record.processes = (ProcessRecord.of(orphan.pid, name="Inbox"),)
    record.write(tmp_path)
    async with a_stack(tmp_path):
        # Which signal ended it is not told where the supervisor under test, here also its parent, has reaped it.
        assert await orphan.wait() != 0
