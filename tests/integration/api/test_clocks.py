"""How the clocks of a journey stand, over HTTP."""

from datetime import datetime, timedelta

import httpx
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.clocks import ClockRepository, ClockSetting
from crm.models.clock import EntryClock, EntryRound
from kit.clock import wall_clock
from kit.database import Sessions
from tests.support.builders import a_contact, a_live_journey

NOW = wall_clock()


async def setting(session: AsyncSession, due_in: timedelta) -> ClockSetting:
    contact = await a_contact(session)
    return ClockSetting("missed", contact.id, "any", NOW, NOW + due_in)


async def test_running_clocks_rung_ones_and_rounds_are_told(client: httpx.AsyncClient, sessions: Sessions) -> None:
    entry = {"absence": {"of": "order.placed", "for": "90d", "backfill": "matching"}}
    async with sessions.begin() as session:
        await a_live_journey(session, {"key": "missed", "entry": entry})
        rung = await setting(session, timedelta())
        later, sooner = await setting(session, timedelta(days=9)), await setting(session, timedelta(days=2))
        await ClockRepository(session).set([later, sooner, rung])
        ended = update(EntryClock).where(EntryClock.contact_id == rung.contact_id)
        await session.execute(ended.values(due_at=None, rung_at=NOW))
        session.add(EntryRound(journey_key="missed", kind="broadcast", zones=["UTC", "Etc/UTC"], contacts=7, done=5))

    told = (await client.get("/v1/journeys/missed/clocks")).json()

    assert (told["running"], told["rung"]) == (2, 1)
    assert datetime.fromisoformat(told["next_due_at"]) == sooner.due_at
    shown = [(one["kind"], one["zones"], one["contacts"], one["done"], one["outcome"]) for one in told["rounds"]]
    assert shown == [("broadcast", 2, 7, 5, ""), ("arm", None, 0, 0, "")]


async def test_a_journey_without_clocks_has_none(client: httpx.AsyncClient, sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await a_live_journey(session)
    told = (await client.get("/v1/journeys/welcome-test/clocks")).json()
    assert told == {"running": 0, "next_due_at": None, "rung": 0, "rounds": []}


async def test_an_unknown_journey_is_told(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/journeys/nope/clocks")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-journey")
