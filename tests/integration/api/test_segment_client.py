"""The unmodified client library `segment-analytics-python`, pointed at the API by its `host` option alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI
from segment.analytics.client import Client
from segment.analytics.request import APIError
from sqlalchemy import select

from crm.access import Scope
from crm.contacts import ContactReference, ContactRepository
from crm.models.event import Event
from kit.database import Sessions
from tests.support.api import a_key
from tests.support.serving import served


@pytest_asyncio.fixture
async def host(app: FastAPI) -> AsyncIterator[str]:
    async with served(app) as address:
        yield address


async def sent(call: Callable[[Client], Any], host: str, key: str, **options: Any) -> None:
    """What the library does in a thread of its own, as in the programs that use it."""

    def run() -> None:
        client = Client(key, host=host, **options)
        call(client)
        if client.consumers is not None:
            client.shutdown()

    await asyncio.to_thread(run)


async def stored(sessions: Sessions) -> list[Event]:
    async with sessions() as session:
        return list(await session.scalars(select(Event).order_by(Event.sequence)))


def everything(client: Client) -> None:
    moment = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    client.identify("u1", {"email": "ada@example.com", "firstName": "Ada"})
    client.track("u1", "order.placed", {"order_id": "A-1"}, timestamp=moment, message_id="m1")
    client.page("u1", "Shop", "Pricing", {"url": "https://shop.example/pricing"})
    client.screen("u1", "App", "Basket")
    client.group("u1", "acme", {"name": "Acme GmbH"})
    client.alias("a-9", "u1")


@pytest.mark.parametrize("gzip", [True, False])
async def test_every_call_of_the_library_arrives(host: str, sessions: Sessions, *, gzip: bool) -> None:
    await sent(everything, host, await a_key(sessions, Scope.TRACK), sync_mode=True, gzip=gzip)
    events = await stored(sessions)
    assert [event.name for event in events] == [
        "contact.identified",
        "order.placed",
        "page.viewed",
        "screen.viewed",
        "contact.grouped",
        "contact.aliased",
    ]
    placed = events[1]
    assert (placed.event_id, placed.properties) == ("m1", {"order_id": "A-1"})
    assert placed.occurred_at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert len({event.contact_id for event in events}) == 1
    async with sessions() as session:
        found = await ContactRepository(session).find(ContactReference(user_id="u1"))
    assert found is not None
    assert found.id == placed.contact_id


async def test_the_librarys_own_batches_arrive_whole(host: str, sessions: Sessions) -> None:
    def many(client: Client) -> None:
        for number in range(250):
            client.track(f"u{number % 7}", "page.opened", {"number": number})

    await sent(many, host, await a_key(sessions, Scope.TRACK), gzip=True, max_retries=0)
    events = await stored(sessions)
    assert [event.properties["number"] for event in events] == list(range(250))
    assert len({event.contact_id for event in events}) == 7


async def test_the_library_is_told_what_is_wrong(host: str, sessions: Sessions) -> None:
    with pytest.raises(APIError) as refused:
        await sent(lambda client: client.track("u1", " "), host, await a_key(sessions, Scope.TRACK), sync_mode=True)
    assert refused.value.status == 422
    assert "/batch/0/event" in refused.value.message
    with pytest.raises(APIError) as unknown:
        await sent(lambda client: client.track("u1", "x"), host, "wrong", sync_mode=True)
    assert unknown.value.status == 401
    assert await stored(sessions) == []
