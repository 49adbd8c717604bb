"""Partitions are made by whoever runs, at the start and again, also after an outage."""

import asyncio
from datetime import UTC, datetime

from sqlalchemy import text

from intake.upkeep import keep_up
from kit.database import Sessions

MONTHS = ("events_2041_11", "events_2041_12", "events_2042_01", "events_2042_02")


async def test_the_months_to_come_have_their_partitions_once_it_runs(sessions: Sessions) -> None:
    keeping = asyncio.create_task(keep_up(sessions, lambda: datetime(2041, 11, 20, tzinfo=UTC)))

    async def made() -> bool:
        async with sessions() as session:
            found = [await session.scalar(text("SELECT to_regclass(:name)"), {"name": name}) for name in MONTHS]
        return all(found)

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
