"""Who may do what: missing, wrong, revoked keys and missing scopes, each with its problem."""

import base64

import httpx
import pytest
from fastapi import FastAPI

from api.authentication import BELIEVED_SECONDS, AccessCache
from crm.access import ApiKeyRepository, AuditRepository, Scope
from kit.database import Sessions
from kit.errors import Invalid, NotFound
from tests.support.api import a_key, caller

TRACK = {"userId": "u1", "event": "order.placed"}
OPERATIONS = [
    ("POST", "/v1/track", Scope.TRACK),
    ("POST", "/v1/batch", Scope.TRACK),
    ("POST", "/v1/events", Scope.TRACK),
    ("PUT", "/v1/contacts", Scope.TRACK),
    ("POST", "/v1/journeys/welcome/enrollments", Scope.ENROLL),
    ("GET", "/v1/contacts", Scope.READ),
    ("GET", "/v1/journeys", Scope.READ),
    ("GET", "/v1/enrollments", Scope.READ),
    ("PUT", "/v1/journeys/welcome", Scope.AUTHOR),
    ("POST", "/v1/journeys/welcome/publish", Scope.AUTHOR),
    ("POST", "/v1/enrollments/0199f5c1-7c1e-7a10-9d6b-3f2a8e5b1c4d/pause", Scope.OPERATE),
    ("POST", "/v1/enrollments/0199f5c1-7c1e-7a10-9d6b-3f2a8e5b1c4d/exit", Scope.OPERATE),
    ("POST", "/v1/suppressions", Scope.OPERATE),
    ("POST", "/v1/suppressions/lift", Scope.OPERATE),
]


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic", "Basic !!!", "Basic Og==", "Digest x"])
async def test_a_request_without_a_usable_key_is_refused(app: FastAPI, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with caller(app) as client:
        answer = await client.post("/v1/track", json=TRACK, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["type"] in {"/problems/missing-key", "/problems/invalid-key"}
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Bearer" in answer.headers["www-authenticate"]


@pytest.mark.parametrize("wrong", ["x", "dl_0123456789_wrong", "dl_0123456789_", "dl__x", "ключ"])
async def test_a_wrong_key_is_refused(app: FastAPI, wrong: str) -> None:
    header = f"Basic {base64.b64encode(f'{wrong}:'.encode()).decode()}"
    async with caller(app) as client:
        answer = await client.post("/v1/track", json=TRACK, headers={"Authorization": header})
    assert answer.json()["type"] == "/problems/invalid-key"


async def test_a_key_with_the_right_prefix_and_another_secret_is_refused(app: FastAPI, sessions: Sessions) -> None:
    key = await a_key(sessions, Scope.ADMIN)
    async with caller(app, f"{key[:-1]}{'a' if key[-1] != 'a' else 'b'}") as client:
        assert (await client.post("/v1/track", json=TRACK)).status_code == 401


@pytest.mark.parametrize(("method", "path", "needed"), OPERATIONS)
async def test_a_missing_scope_is_named(
    app: FastAPI, sessions: Sessions, method: str, path: str, needed: Scope
) -> None:
    others = [scope for scope in Scope if scope not in {needed, Scope.ADMIN}]
    async with caller(app, await a_key(sessions, *others)) as client:
        answer = await client.request(method, path, json=TRACK if method != "GET" else None)
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/missing-scope"
    assert f"scope '{needed}'" in answer.json()["detail"]


async def test_admin_includes_every_scope(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/track", json=TRACK)).status_code == 200
    assert (await client.get("/v1/journeys")).status_code == 200


async def test_a_valid_key_is_asked_for_once_and_a_revoked_one_is_refused_within_seconds(sessions: Sessions) -> None:
    now = 0.0
    cache = AccessCache(lambda: now)
    key = await a_key(sessions, Scope.READ)
    access = await cache.verify(sessions, key)
    assert access is not None
    async with sessions.begin() as session:
        await ApiKeyRepository(session).revoke(access.prefix)
    assert await cache.verify(sessions, key) == access
    now = BELIEVED_SECONDS
    assert await cache.verify(sessions, key) is None


async def test_a_key_is_not_kept_itself(sessions: Sessions) -> None:
    key = await a_key(sessions, Scope.READ)
    async with sessions() as session:
        (record,) = await ApiKeyRepository(session).all()
        assert (await ApiKeyRepository(session).verify(key)) is not None
    assert record.prefix in key
    assert key.encode() not in record.digest
    assert len(record.digest) == 32


async def test_an_unknown_scope_makes_no_key(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        with pytest.raises(Invalid) as refused:
            await ApiKeyRepository(session).create("test", ["read", "fly"])
        assert [problem.what for problem in refused.value.problems] == ["'fly' is not a scope."]
        assert await ApiKeyRepository(session).all() == []


async def test_revoking_a_key_that_does_not_exist_says_so(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        with pytest.raises(NotFound, match="no API key with the prefix 'nope'"):
            await ApiKeyRepository(session).revoke("nope")


async def test_the_audit_log_tells_newest_first(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        audit = AuditRepository(session)
        await audit.record("key:a", "journey.publish", "journey:x")
        await audit.record("key:b", "journey.publish", "journey:x", {"version": 2})
        assert [(entry.actor, entry.details) for entry in await audit.of("journey:x")] == [
            ("key:b", {"version": 2}),
            ("key:a", {}),
        ]
