"""`Idempotency-Key`: one effect and one answer for one request, however often it is sent."""

import asyncio

import httpx
from fastapi import FastAPI
from sqlalchemy import func, select, text

from crm.access import Scope
from crm.models.access import IdempotencyRecord
from crm.models.event import Event
from kit.database import Sessions
from tests.support.api import a_key, caller

EVENT = {"event": "order.placed", "contact": {"user_id": "u1"}}
KEY = {"Idempotency-Key": "order-4711"}


async def count_events(sessions: Sessions) -> int:
    async with sessions() as session:
        return int(await session.scalar(select(func.count()).select_from(Event)) or 0)


async def test_a_repeated_request_gets_the_first_answer(client: httpx.AsyncClient, sessions: Sessions) -> None:
    first = await client.post("/v1/events", json=EVENT, headers=KEY)
    again = await client.post("/v1/events", json=EVENT, headers=KEY)
    assert first.status_code == again.status_code == 202
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await count_events(sessions) == 1


async def test_the_key_with_another_request_is_a_conflict(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await client.post("/v1/events", json=EVENT, headers=KEY)
    for path, body in (("/v1/events", {**EVENT, "event": "order.paid"}), ("/v1/track", EVENT | {"userId": "u1"})):
        answer = await client.post(path, json=body, headers=KEY)
        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/idempotency-key-reused"
    assert await count_events(sessions) == 1


async def test_requests_at_the_same_time_have_one_effect(client: httpx.AsyncClient, sessions: Sessions) -> None:
    answers = await asyncio.gather(*(client.post("/v1/events", json=EVENT, headers=KEY) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {202}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert await count_events(sessions) == 1


async def test_a_failed_request_leaves_its_key_free(client: httpx.AsyncClient) -> None:
    bad = {**EVENT, "contact": {"id": "0199f5c1-7c1e-7a10-9d6b-3f2a8e5b1c4d"}}
    assert (await client.post("/v1/events", json=bad, headers=KEY)).status_code == 404
    assert (await client.post("/v1/events", json=EVENT, headers=KEY)).status_code == 202


async def test_keys_of_two_callers_do_not_meet(app: FastAPI, client: httpx.AsyncClient, sessions: Sessions) -> None:
    await client.post("/v1/events", json=EVENT, headers=KEY)
    async with caller(app, await a_key(sessions, Scope.TRACK)) as other:
        answer = await other.post("/v1/events", json=EVENT, headers=KEY)
    assert answer.status_code == 202
    assert await count_events(sessions) == 2


async def test_answers_are_forgotten_after_their_time(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await client.post("/v1/events", json=EVENT, headers=KEY)
    async with sessions.begin() as session:
        await session.execute(text("UPDATE idempotency_keys SET created_at = now() - interval '49 hours'"))
    answer = await client.post("/v1/events", json=EVENT, headers=KEY)
    assert "idempotency-replayed" not in answer.headers
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(IdempotencyRecord)) == 1


async def test_a_key_that_is_no_key_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/events", json=EVENT, headers={"Idempotency-Key": "x" * 201})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "header Idempotency-Key"
