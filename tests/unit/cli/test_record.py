import os
from pathlib import Path

import pytest

from cli.stack.record import Addresses, ProcessRecord, StackRecord, StateLock, is_running
from cli.stack.state_directory import claim
from kit.errors import Conflict, Unavailable


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = StackRecord(
        supervisor=ProcessRecord.of(os.getpid(), name="Supervisor"),
        addresses=Addresses(api="http://127.0.0.1:8000"),
        ports={"api": 8000},
    )
    record.write(tmp_path)
    assert StackRecord.read(tmp_path) == record


@pytest.mark.parametrize("content", [None, "", "{", '{"ports": "all"}'])
def test_a_record_that_is_missing_or_broken_reads_as_an_empty_one(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "stack.json").write_text(content)
    assert StackRecord.read(tmp_path) == StackRecord()


def test_a_process_that_runs_is_found_again() -> None:
    found = ProcessRecord.of(os.getpid(), name="this").process()
    assert found is not None
    assert found.pid == os.getpid()


def test_a_later_process_with_the_same_number_is_not_mistaken_for_it() -> None:
    record = ProcessRecord.of(os.getpid(), name="this")
    assert record.model_copy(update={"created": record.created - 100}).process() is None


def test_a_directory_is_running_exactly_while_its_lock_is_held(tmp_path: Path) -> None:
    assert not is_running(tmp_path)
    lock = StateLock(tmp_path)
    assert lock.acquire()
    assert is_running(tmp_path)
    lock.release()
    assert not is_running(tmp_path)


def test_a_second_stack_is_told_that_and_where_the_first_runs(tmp_path: Path) -> None:
    first = StateLock(tmp_path)
    claim(tmp_path, lock=first)
    StackRecord(
        supervisor=ProcessRecord.of(os.getpid(), name="Supervisor"), addresses=Addresses(api="http://127.0.0.1:8000")
    ).write(tmp_path)
    with pytest.raises(Conflict, match=f"already as process {os.getpid()} .*http://127.0.0.1:8000"):
        claim(tmp_path, lock=StateLock(tmp_path))
    first.release()


def test_a_state_directory_that_cannot_be_made_is_told_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="--state-directory"):
        claim(tmp_path / "file" / "state", lock=StateLock(tmp_path))


def test_a_state_directory_never_enters_version_control(tmp_path: Path) -> None:
    lock = StateLock(tmp_path / "state")
    claim(tmp_path / "state", lock=lock)
    assert (tmp_path / "state" / ".gitignore").read_text() == "*\n"
    lock.release()
