"""PostgreSQL away: 503 and nothing acknowledged; what was acknowledged is committed; what nobody foresaw is a 500."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.app import create_app
from crm.access import Scope
from crm.models.event import Event
from kit.database import Sessions
from kit.settings import Settings
from tests.support.api import CLOSED_PORT, a_key, caller

TRACK = {"userId": "u1", "event": "order.placed"}
SOME_KEY = "dl_0123456789_secret"


@pytest_asyncio.fixture
async def stranded() -> AsyncIterator[FastAPI]:
    """The application with a database at which nothing listens."""
    app = create_app(Settings(database_url=f"postgresql://{CLOSED_PORT}/nothing"))
    async with app.router.lifespan_context(app):
        yield app


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/track", TRACK),
        ("POST", "/v1/batch", {"batch": [{"type": "track", **TRACK}]}),
        ("GET", "/v1/contacts", None),
        ("GET", "/readyz", None),
    ],
)
async def test_without_the_database_the_answer_is_503_and_when_to_come_again(
    stranded: FastAPI, method: str, path: str, body: Any
) -> None:
    async with caller(stranded, SOME_KEY) as client:
        answer = await client.request(method, path, json=body)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["type"] == "/problems/unavailable"
    assert "Nothing was accepted" in answer.json()["detail"]


async def test_without_the_database_the_process_still_lives(stranded: FastAPI) -> None:
    async with caller(stranded) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}


async def test_with_the_database_the_process_is_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/readyz")).json() == {"status": "ok", "database": "ok"}


async def test_a_commit_that_fails_is_not_acknowledged(app: FastAPI, sessions: Sessions, engine: AsyncEngine) -> None:
    """The transaction ends before the answer leaves: a deferred check that fails at commit reaches the caller."""
    key = await a_key(sessions, Scope.TRACK)
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "CREATE FUNCTION refuse_commit() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION USING ERRCODE = '57P01', MESSAGE = 'going down'; END $$"
            )
        )
        await connection.execute(
            text(
                "CREATE CONSTRAINT TRIGGER refuse_commit AFTER INSERT ON contacts"
                " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_commit()"
            )
        )
    try:
        async with caller(app, key) as client:
            answer = await client.post("/v1/track", json=TRACK)
    finally:
        async with engine.begin() as connection:
            await connection.execute(text("DROP TRIGGER refuse_commit ON contacts"))
            await connection.execute(text("DROP FUNCTION refuse_commit"))
    assert answer.status_code == 503
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Event)) == 0


async def test_what_nobody_foresaw_is_a_problem_without_internals(app: FastAPI) -> None:
    async def broken() -> None:
        raise LookupError("the password is hunter2")

    app.add_api_route("/broken", broken)
    async with caller(app) as client:
        answer = await client.get("/broken")
    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/internal-error"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "hunter2" not in answer.text
    assert "LookupError" not in answer.text
