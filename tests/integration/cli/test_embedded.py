import os
import signal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest, RemoveSearchAttributesRequest
from temporalio.client import Client

from cli.stack.embedded import SEARCH_ATTRIBUTES, EmbeddedPostgres, EmbeddedTemporal
from cli.stack.guard import Guard
from cli.stack.health import read_json
from kit.errors import Unavailable
from tests.support.processes import those_alive


def value_of(url: str, query: str) -> Any:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row is not None else None


def test_postgres_18_starts_with_an_empty_database_of_our_name(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "postgres", durable=False) as postgres:
        assert value_of(postgres.url, "SHOW server_version").startswith("18.")
        assert value_of(postgres.url, "SELECT current_database()") == "dauerlauf"
        assert value_of(postgres.url, "SHOW server_encoding") == "UTF8"


def test_postgres_keeps_its_data_over_a_restart(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    with postgres:
        value_of(postgres.url, "SELECT 1")
        with psycopg.connect(postgres.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with postgres:
        assert value_of(postgres.url, "SELECT answer FROM kept") == 42


def test_postgres_starts_where_paths_are_too_long_for_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("ein langer Pfad mit Ümlaut " * 2).strip() / ("x" * 120)
    with EmbeddedPostgres(deep, durable=False) as postgres:
        socket = Path(value_of(postgres.url, "SHOW unix_socket_directories"))
        assert not socket.is_relative_to(tmp_path)
    assert not socket.exists()


def test_nobody_else_can_enter_the_directory_of_the_socket(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "postgres", durable=False) as postgres:
        socket = Path(value_of(postgres.url, "SHOW unix_socket_directories"))
        assert socket.stat().st_mode & 0o077 == 0
        assert (tmp_path / "postgres" / "data").stat().st_mode & 0o077 == 0


def test_postgres_listens_on_no_network(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "postgres", durable=False) as postgres:
        assert value_of(postgres.url, "SHOW listen_addresses") == ""


def test_postgres_starts_after_a_crash_and_with_a_lock_file_that_names_a_stranger(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    postgres = EmbeddedPostgres(directory, durable=False)
    postgres.start()
    assert postgres.child is not None
    os.kill(postgres.child.pid, signal.SIGKILL)
    postgres.stop()
    lock = directory / "data" / "postmaster.pid"
    lines = lock.read_text().splitlines()
    lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with EmbeddedPostgres(directory, durable=False) as again:
        assert value_of(again.url, "SELECT 1") == 1


def test_a_server_left_running_on_the_data_is_ended_first(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    left = EmbeddedPostgres(directory, durable=False)
    left.start()
    assert left.child is not None
    with EmbeddedPostgres(directory, durable=False) as postgres:
        assert those_alive([left.child.pid]) == []
        assert value_of(postgres.url, "SELECT 1") == 1
    left.stop()


def test_a_start_that_fails_says_so_with_the_words_of_the_server(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    with EmbeddedPostgres(directory, durable=False):
        pass
    (directory / "data" / "postgresql.conf").write_text("no_such_setting = on\n")
    with pytest.raises(Unavailable, match=r"(?s)PostgreSQL ended while starting.*no_such_setting.*postgres\.log"):
        EmbeddedPostgres(directory, durable=False).start()


async def registered(address: str) -> set[str]:
    client = await Client.connect(address)
    request = ListSearchAttributesRequest(namespace="default")
    return set((await client.operator_service.list_search_attributes(request)).custom_attributes)


async def test_temporal_starts_with_our_search_attributes_and_its_ui(tmp_path: Path) -> None:
    with EmbeddedTemporal(tmp_path) as temporal:
        assert await registered(temporal.address) >= set(SEARCH_ATTRIBUTES)
        assert read_json(f"{temporal.ui_address}/api/v1/namespaces/default") is not None


async def remove_search_attribute(address: str, name: str) -> None:
    client = await Client.connect(address)
    request = RemoveSearchAttributesRequest(namespace="default", search_attributes=[name])
    await client.operator_service.remove_search_attributes(request)


async def test_a_database_file_of_an_older_version_gets_the_search_attributes_it_lacks(tmp_path: Path) -> None:
    temporal = EmbeddedTemporal(tmp_path, database_file=tmp_path / "temporal.sqlite")
    with temporal:
        await remove_search_attribute(temporal.address, "DueAt")
        assert "DueAt" not in await registered(temporal.address)
    with temporal:
        assert "DueAt" in await registered(temporal.address)


def test_temporal_runs_without_its_ui(tmp_path: Path) -> None:
    with EmbeddedTemporal(tmp_path, ui=False) as temporal:
        assert temporal.child is not None
        assert read_json(f"{temporal.ui_address}/api/v1/namespaces/default") is None


def test_stopping_leaves_no_process(tmp_path: Path) -> None:
    with Guard() as guard, EmbeddedTemporal(tmp_path, guard=guard) as temporal:
        assert temporal.child is not None
        assert guard.process is not None
        pids = [temporal.child.pid, guard.process.pid]
    assert those_alive(pids, after_seconds=5) == []


def test_a_database_file_remembers_ended_journeys_for_thirty_days(tmp_path: Path) -> None:
    with EmbeddedTemporal(tmp_path, database_file=tmp_path / "temporal.sqlite") as temporal:
        namespace = read_json(f"{temporal.ui_address}/api/v1/namespaces/default")
    assert namespace is not None
    assert namespace["config"]["workflowExecutionRetentionTtl"] == "2592000s"
