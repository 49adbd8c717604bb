"""`dauerlauf keys` on a real database: what it makes opens the API, what it revokes no longer does."""

import asyncio

import pytest
from typer.testing import CliRunner

from cli.keys import app, create_key
from crm.access import ApiKeyRepository, AuditRepository, Scope
from kit.database import Sessions
from kit.errors import Invalid, Unavailable

runner = CliRunner()


async def dauerlauf(*arguments: str) -> str:
    """Run the command in a thread: it has an event loop of its own. Raises what it raises."""
    result = await asyncio.to_thread(runner.invoke, app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def here(sessions: Sessions, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Sessions:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    return sessions


async def test_a_key_is_made_listed_and_revoked(here: Sessions) -> None:
    key = (await dauerlauf("create", "shop", "--scope", "track", "--scope", "enroll")).strip()
    async with here() as session:
        access = await ApiKeyRepository(session).verify(key)
    assert access is not None
    assert access.scopes == {Scope.TRACK, Scope.ENROLL}
    listed = await dauerlauf("list")
    assert access.prefix in listed
    assert "valid" in listed
    assert key not in listed
    assert "'shop'" in await dauerlauf("revoke", access.prefix)
    assert "revoked" in await dauerlauf("list")
    async with here() as session:
        assert await ApiKeyRepository(session).verify(key) is None
        entries = await AuditRepository(session).of(access.actor)
    assert [entry.action for entry in entries] == ["key.revoke", "key.create"]


async def test_an_unknown_scope_is_told(here: Sessions) -> None:
    with pytest.raises(Invalid, match="cannot be given to a key"):
        await dauerlauf("create", "shop", "--scope", "fly")
    async with here() as session:
        assert await ApiKeyRepository(session).all() == []


async def test_a_database_that_is_away_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/nothing")
    with pytest.raises(Unavailable, match="PostgreSQL does not answer"):
        await dauerlauf("list")


async def test_the_function_behind_it_returns_the_key(sessions: Sessions) -> None:
    key = await create_key(sessions, name="demo", scopes=frozenset(Scope))
    async with sessions() as session:
        access = await ApiKeyRepository(session).verify(key)
    assert access is not None
    assert access.scopes == frozenset(Scope)
