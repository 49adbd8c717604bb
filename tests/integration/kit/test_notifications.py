"""Readers are woken by the database, and again after the database was away."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from kit.notifications import APPLICATION_NAME, Wakeups

PATIENCE = 10.0


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        yield connection


async def _settled(wakeups: Wakeups, *channels: str) -> None:
    """Until the connection listens: every channel is up at the start and once more when it does."""
    for channel in channels:
        assert await wakeups.wait(channel, PATIENCE)
    while any([await wakeups.wait(channel, 0.3) for channel in channels]):
        pass


async def test_a_notification_wakes_the_reader_of_its_channel_only(
    database_url: str, other: psycopg.AsyncConnection
) -> None:
    async with Wakeups(database_url, ["apples", "pears"]) as wakeups:
        await _settled(wakeups, "apples", "pears")

        await other.execute("NOTIFY apples")

        assert await wakeups.wait("apples", PATIENCE)
        assert not await wakeups.wait("pears", 0)


async def test_a_notification_while_the_reader_works_is_kept_for_its_next_wait(
    database_url: str, other: psycopg.AsyncConnection
) -> None:
    async with Wakeups(database_url, ["apples", "pears"]) as wakeups:
        await _settled(wakeups, "apples", "pears")

        await other.execute("NOTIFY apples")
        await other.execute("NOTIFY pears")
        assert await wakeups.wait("pears", PATIENCE)

        assert await wakeups.wait("apples", 0)
        assert not await wakeups.wait("apples", 0)


async def test_a_reader_whose_connection_was_cut_is_woken_and_listens_again(
    database_url: str, other: psycopg.AsyncConnection
) -> None:
    """What was notified while nobody listened is lost, so coming back is itself a wake-up."""
    async with Wakeups(database_url, ["apples"]) as wakeups:
        await _settled(wakeups, "apples")
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"

        await other.execute(cut, [APPLICATION_NAME])

        assert await wakeups.wait("apples", PATIENCE)
        await other.execute("NOTIFY apples")
        assert await wakeups.wait("apples", PATIENCE)


async def test_without_a_database_waiting_only_runs_out() -> None:
    async with Wakeups("postgresql://nobody@127.0.0.1:1/nothing", ["apples"]) as wakeups:
        assert await wakeups.wait("apples", 0)  # up at the start: the reader looks for work once
        assert not await wakeups.wait("apples", 0.05)
