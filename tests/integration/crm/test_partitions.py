import asyncio
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.event import Event
from crm.partitions import ensure_partitions
from kit.database import Sessions

DECEMBER = datetime(2031, 12, 31, 23, 30, tzinfo=UTC)


async def _partitions(session: AsyncSession) -> set[str]:
    query = text("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relname LIKE 'events_203%'")
    return set(await session.scalars(query))


async def _place(session: AsyncSession, event_id: str) -> str:
    query = text("SELECT CAST(tableoid AS regclass) FROM events WHERE event_id = :id")
    return str((await session.scalars(query, {"id": event_id})).one())


async def _receive(session: AsyncSession, event_id: str, received_at: datetime) -> None:
    given = {"event_id": event_id, "contact_id": uuid4(), "name": "n", "occurred_at": received_at, "source": "api"}
    await session.execute(insert(Event).values(**given, received_at=received_at))


async def test_this_month_and_those_ahead_get_partitions(session: AsyncSession) -> None:
    await ensure_partitions(session, DECEMBER, 2)

    assert await _partitions(session) == {"events_2031_12", "events_2032_01", "events_2032_02"}


async def test_a_second_call_changes_nothing(session: AsyncSession) -> None:
    await ensure_partitions(session, DECEMBER, 1)
    await _receive(session, "e1", DECEMBER)
    await ensure_partitions(session, DECEMBER, 1)

    assert await _partitions(session) == {"events_2031_12", "events_2032_01"}
    assert await _place(session, "e1") == "events_2031_12"


async def test_rows_of_a_month_lie_in_its_partition_those_of_others_in_the_default(session: AsyncSession) -> None:
    await ensure_partitions(session, DECEMBER, 0)

    await _receive(session, "first", datetime(2031, 12, 1, tzinfo=UTC))
    await _receive(session, "next", datetime(2032, 1, 1, tzinfo=UTC))

    assert await _place(session, "first") == "events_2031_12"
    assert await _place(session, "next") == "events_default"


async def test_rows_that_came_before_their_partition_move_into_it_as_they_are(session: AsyncSession) -> None:
    await _receive(session, "early", DECEMBER)
    before = (await session.execute(text("SELECT * FROM events"))).one()

    await ensure_partitions(session, DECEMBER, 0)

    assert await _place(session, "early") == "events_2031_12"
    assert (await session.execute(text("SELECT * FROM events"))).one() == before


async def test_sequences_go_on_across_partitions(session: AsyncSession) -> None:
    await _receive(session, "one", DECEMBER)
    await ensure_partitions(session, DECEMBER, 0)
    await _receive(session, "two", DECEMBER)

    order = await session.scalars(text("SELECT event_id FROM events ORDER BY sequence"))
    assert order.all() == ["one", "two"]


async def test_months_are_those_of_utc(session: AsyncSession) -> None:
    """Half past midnight in Berlin is still the old month."""
    await ensure_partitions(session, datetime.fromisoformat("2032-01-01T00:30:00+01:00"), 0)

    assert await _partitions(session) == {"events_2031_12"}


async def test_several_at_the_same_time_do_not_disturb_each_other(sessions: Sessions) -> None:
    async def ensure() -> None:
        async with sessions.begin() as session:
            await ensure_partitions(session, DECEMBER, 1)

    try:
        await asyncio.gather(ensure(), ensure(), ensure())
        async with sessions() as session:
            assert await _partitions(session) == {"events_2031_12", "events_2032_01"}
    finally:
        async with sessions.begin() as session:
            await session.execute(text("DROP TABLE IF EXISTS events_2031_12, events_2032_01"))
