"""The application on a real database, spoken to over ASGI. Temporal is away unless a test brings it."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from api.app import create_app
from api.temporal import TemporalConnection
from crm.access import Scope
from kit.database import Sessions
from kit.settings import Settings
from kit.temporal import connect
from tests.support.api import CLOSED_PORT, a_key, caller
from tests.support.templates import publish_shipped


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, database_pool_size=10)


@pytest_asyncio.fixture
async def app(settings: Settings, sessions: Sessions) -> AsyncIterator[FastAPI]:  # noqa: ARG001 - empties tables
    """The application as a process runs it, on empty tables."""
    away = TemporalConnection(lambda: connect(settings, target_host=CLOSED_PORT))
    app = create_app(settings, temporal=away)
    async with app.router.lifespan_context(app):
        yield app


@pytest_asyncio.fixture
async def client(app: FastAPI, sessions: Sessions) -> AsyncIterator[httpx.AsyncClient]:
    """A caller that may do everything."""
    async with caller(app, await a_key(sessions, Scope.ADMIN)) as client:
        yield client


@pytest_asyncio.fixture
async def templates(sessions: Sessions) -> None:
    """The templates of the product, published."""
    async with sessions.begin() as session:
        await publish_shipped(session)
