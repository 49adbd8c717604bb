"""Callers of the API for tests, and keys for them."""

from typing import Any

import httpx
from fastapi import FastAPI

from crm.access import ApiKeyRepository, Scope
from kit.database import Sessions

CLOSED_PORT = "127.0.0.1:1"
"""An address at which nothing listens."""


async def a_key(sessions: Sessions, *scopes: Scope) -> str:
    """A new API key with these scopes."""
    async with sessions.begin() as session:
        return (await ApiKeyRepository(session).create("test", scopes)).key


def caller(app: FastAPI, key: str | None = None, **options: Any) -> httpx.AsyncClient:
    """A caller of the application over ASGI; with `key` it is authorised."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test", headers=headers, **options)
