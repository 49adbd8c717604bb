"""The loop that keeps the clocks: sleeping, being woken, several keepers, sudden death, clocks that cannot ring."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from crm.models.clock import EntryClock, EntryRound
from crm.models.journey import JourneyVersion
from intake import clocks
from intake.clocks import EntryClocks
from journeys.entries import Absence
from kit.clock import wall_clock
from tests.support.clocks import DEFAULT_ZONE, Timekeeper
from tests.support.intake import NOW, Intake
from tests.support.temporal import eventually

DAY = timedelta(days=1)
ORDER = "order.placed"
MISSED: dict[str, Any] = {"goal": None, "exit": [], "entry": {"absence": {"of": ORDER, "for": "90d"}}}


@pytest.fixture(autouse=True)
def _long_ago(intake: Intake) -> None:
    """Publications carry the wall clock of the database: the present of these tests lies behind it."""
    intake.now = NOW.replace(year=2040)


@asynccontextmanager
async def running(keeper: EntryClocks) -> AsyncIterator[None]:
    """A keeper at work, as in a worker process."""
    task = asyncio.create_task(keeper.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_keeper_that_sleeps_is_woken_by_a_clock_that_is_due_soon(
    intake: Intake, timekeeper: Timekeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but the trigger can wake it here: it would sleep for an hour."""
    monkeypatch.setattr(clocks, "SWEEP_SECONDS", 3_600.0)
    intake.now = wall_clock()
    await intake.publish("missed", **MISSED)
    contact = await intake.contact()
    async with running(EntryClocks(intake.sessions, intake.database_url, default_zone=DEFAULT_ZONE)):
        await eventually(lambda: _listens(intake))
        await intake.tell(contact, ORDER)
        async with intake.sessions.begin() as session:
            moved = update(EntryClock).values(anchor_at=wall_clock() - 91 * DAY, due_at=wall_clock())
            await session.execute(moved)
            await session.execute(text("UPDATE events SET occurred_at = occurred_at - interval '91 days'"))

        assert await eventually(lambda: timekeeper.events(Absence.trigger))


async def _listens(intake: Intake) -> bool:
    query = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'LISTEN %entry_clocks%')"
    async with intake.sessions() as session:
        return bool(await session.scalar(text(query)))


async def test_a_keeper_sleeps_until_the_earliest_is_due(intake: Intake, timekeeper: Timekeeper) -> None:
    await intake.publish("missed", **MISSED)
    keeper = timekeeper.keeper()
    assert await keeper._rest() == clocks.SWEEP_SECONDS

    await intake.tell(await intake.contact(), ORDER)
    assert await keeper._rest() == clocks.SWEEP_SECONDS
    intake.now += 90 * DAY - timedelta(seconds=40)
    assert await keeper._rest() == pytest.approx(40)

    async with intake.sessions.begin() as session:
        session.add(EntryRound(journey_key="missed", kind="arm", due_at=intake.now + timedelta(seconds=10)))
    assert await keeper._rest() == pytest.approx(10)


async def test_several_keepers_ring_each_clock_once(
    intake: Intake, timekeeper: Timekeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "CLOCKS_AT_ONCE", 3)
    await intake.publish("missed", **MISSED)
    contacts = [await intake.contact() for _ in range(20)]
    for contact in contacts:
        await intake.accept(contact, ORDER)
    await intake.apply()
    intake.now += 90 * DAY

    rung = await asyncio.gather(*(timekeeper.keeper().drain() for _ in range(3)))

    assert sum(rung) == 20
    noticed = await timekeeper.events(Absence.trigger)
    assert sorted(event.contact_id for event in noticed) == sorted(contacts)


async def test_clocks_that_cannot_ring_are_put_off_and_hold_up_no_other_journey(
    intake: Intake, timekeeper: Timekeeper
) -> None:
    await intake.publish("missed", **MISSED)
    await intake.publish("another", **MISSED)
    contact = await intake.contact()
    await intake.tell(contact, ORDER)
    intake.now += 90 * DAY
    async with intake.sessions.begin() as session:
        broken = update(JourneyVersion).where(JourneyVersion.journey_key == "missed")
        await session.execute(broken.values(definition={"no": "journey"}, entry_event=None))

    await timekeeper.keep()

    assert [event.properties["journey"] for event in await timekeeper.events(Absence.trigger)] == ["another"]
    async with intake.sessions() as session:
        kept = await session.scalar(select(EntryClock.due_at).where(EntryClock.journey_key == "missed"))
    assert kept == intake.now + timedelta(minutes=5)


async def test_a_round_that_cannot_be_made_is_put_off(intake: Intake, timekeeper: Timekeeper) -> None:
    await intake.contact()
    entry = {"absence": {**MISSED["entry"]["absence"], "backfill": "matching"}}
    await intake.publish("missed", **(MISSED | {"entry": entry}))
    async with intake.sessions.begin() as session:
        await session.execute(update(JourneyVersion).values(definition={"no": "journey"}))
    await timekeeper.keep()

    (one,) = await intake.rows(EntryRound)
    assert (one.finished_at, one.due_at) == (None, intake.now + timedelta(minutes=5))


async def test_a_clock_of_an_erased_contact_goes_with_it(intake: Intake, timekeeper: Timekeeper) -> None:
    await intake.publish("missed", **MISSED)
    await intake.tell(await intake.contact(), ORDER)
    async with intake.sessions.begin() as session:
        await session.execute(text("DELETE FROM contacts"))

    assert await timekeeper.due() == {}


DYING = """
import asyncio, os, signal, sys
from datetime import datetime
from sqlalchemy import event
from intake.clocks import EntryClocks
from kit.database import create_engine, create_sessions
from kit.settings import Settings

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

engine = create_engine(Settings(database_url=sys.argv[1]))
event.listen(engine.sync_engine, "commit", die)
now = datetime.fromisoformat(sys.argv[2])
keeper = EntryClocks(create_sessions(engine), sys.argv[1], default_zone="UTC", clock=lambda: now)
asyncio.run(keeper.drain())
"""


async def test_a_keeper_killed_before_its_commit_leaves_nothing_half_done(
    intake: Intake, timekeeper: Timekeeper
) -> None:
    await intake.publish("missed", **MISSED)
    contact = await intake.contact()
    await intake.tell(contact, ORDER)
    due = await timekeeper.due()
    intake.now += 90 * DAY

    command = [sys.executable, "-c", DYING, intake.database_url, intake.now.isoformat()]
    dead = await asyncio.to_thread(subprocess.run, command, check=False)

    assert dead.returncode == -signal.SIGKILL
    await eventually(intake.is_released)
    assert await timekeeper.due() == due
    assert not await timekeeper.events(Absence.trigger)
    await timekeeper.keep()
    assert await timekeeper.entered() == [contact]
