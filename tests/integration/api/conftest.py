"""The application on a real database, spoken to over ASGI. Temporal is away unless a test brings it."""

from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from api.app import create_app
from crm.access import ApiKeyRepository, Scope
from kit.database import Sessions
from kit.settings import Settings
from kit.temporal import connect
from messaging.publishing import publish_templates

CLOSED_PORT = "127.0.0.1:1"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, database_pool_size=10)


@pytest_asyncio.fixture
async def app(settings: Settings, sessions: Sessions) -> AsyncIterator[FastAPI]:
    """The application as a process runs it, on empty tables with the templates of the product."""
    async with sessions.begin() as session:
        await publish_templates(session)
    away = await connect(settings, lazy=True, target_host=CLOSED_PORT)
    app = create_app(settings, temporal=away)
    async with app.router.lifespan_context(app):
        yield app


async def a_key(sessions: Sessions, *scopes: Scope) -> str:
    async with sessions.begin() as session:
        return (await ApiKeyRepository(session).create("test", scopes)).key


def client_of(app: FastAPI, key: str | None = None, headers: Sequence[tuple[str, str]] = ()) -> httpx.AsyncClient:
    """A caller; with `key` it is authorised."""
    given = [*headers, *([("Authorization", f"Bearer {key}")] if key else [])]
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test", headers=given)


@pytest_asyncio.fixture
async def client(app: FastAPI, sessions: Sessions) -> AsyncIterator[httpx.AsyncClient]:
    """A caller that may do everything."""
    async with client_of(app, await a_key(sessions, Scope.ADMIN)) as client:
        yield client
