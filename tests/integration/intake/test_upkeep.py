"""Partitions are made, and tests of long ago removed, by whoever runs, at the start and again, also after an outage."""

import asyncio
from datetime import UTC, datetime

from sqlalchemy import text

from crm.tryouts import Pace, TryoutRepository
from intake.upkeep import keep_up
from kit.database import Sessions
from tests.support.builders import a_live_journey

MONTHS = ("events_2041_11", "events_2041_12", "events_2042_01", "events_2042_02")


async def test_the_months_to_come_have_their_partitions_and_old_tests_are_gone_once_it_runs(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        draft = await a_live_journey(session)
        for _ in range(2):
            await TryoutRepository(session).keep(draft, Pace())
    keeping = asyncio.create_task(keep_up(sessions, lambda: datetime(2041, 11, 20, tzinfo=UTC)))

    async def made() -> bool:
        async with sessions() as session:
            found = [await session.scalar(text("SELECT to_regclass(:name)"), {"name": name}) for name in MONTHS]
            tried = await session.scalar(text("SELECT count(*) FROM journey_versions WHERE version < 0"))
        return all(found) and tried == 1

    try:
        async with asyncio.timeout(30):
            while not await made():  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.05)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    assert await made()
    async with sessions.begin() as session:
        await session.execute(text(f"DROP TABLE {', '.join(MONTHS)}"))
