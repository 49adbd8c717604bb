"""Everything people send by mistake or on purpose: a clear problem document each, never a 500, nothing half done."""

import gzip
import json
import zlib
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from api.problems import PROBLEM_TYPES
from crm.models.contact import Contact
from crm.models.event import Event
from kit.database import Sessions

TRACK: dict[str, Any] = {"userId": "u1", "event": "order.placed"}
UNKNOWN = "0199f5c1-7c1e-7a10-9d6b-3f2a8e5b1c4d"
JSON = {"Content-Type": "application/json"}
GZIP = {**JSON, "Content-Encoding": "gzip"}
DEEP = b'{"userId":"u1","event":"x","properties":' + b'{"a":' * 300 + b"1" + b"}" * 300 + b"}"


def sent(value: Any) -> dict[str, Any]:
    return {"json": value}


def raw(content: bytes, headers: dict[str, str] | None = None) -> dict[str, Any]:
    return {"content": content, "headers": headers or JSON}


REQUESTS: list[Any] = [
    ("no body at all", "POST", "/v1/track", {}, 422, "invalid-request", "/"),
    ("not JSON", "POST", "/v1/track", raw(b"{"), 400, "malformed-body", None),
    ("JSON and more", "POST", "/v1/track", raw(b'{"userId":"u"} x'), 400, "malformed-body", None),
    ("not UTF-8", "POST", "/v1/track", raw(b'{"userId":"\xff"}'), 400, "malformed-body", None),
    ("half a character", "POST", "/v1/track", raw(b'{"userId":"\\ud800","event":"x"}'), 400, "malformed-body", None),
    (
        "a NUL in a text",
        "POST",
        "/v1/track",
        raw(b'{"userId":"u1","event":"x","properties":{"a":["\\u0000"]}}'),
        400,
        "malformed-body",
        "/properties/a/0",
    ),
    (
        "a NUL in a name",
        "POST",
        "/v1/track",
        raw(b'{"userId":"u1","event":"x","properties":{"a\\u0000":1}}'),
        400,
        "malformed-body",
        "/properties",
    ),
    ("not a number", "POST", "/v1/track", raw(b'{"properties":{"a":NaN}}'), 400, "malformed-body", None),
    ("infinity", "POST", "/v1/track", raw(b'{"properties":{"a":1e999}}'), 400, "malformed-body", "/properties/a"),
    (
        "an endless number",
        "POST",
        "/v1/track",
        raw(b'{"properties":{"a":' + b"9" * 400 + b"}}"),
        400,
        "malformed-body",
        "/properties/a",
    ),
    ("nested without end", "POST", "/v1/track", raw(DEEP), 400, "malformed-body", None),
    ("a list instead", "POST", "/v1/track", sent([TRACK]), 422, "invalid-request", "/"),
    ("null instead", "POST", "/v1/track", raw(b"null"), 422, "invalid-request", "/"),
    ("another kind of body", "POST", "/v1/track", raw(b"a=b", {"Content-Type": "text/csv"}), 415, None, None),
    ("another encoding", "POST", "/v1/track", raw(b"x", {**JSON, "Content-Encoding": "br"}), 415, None, None),
    ("no gzip", "POST", "/v1/track", raw(b"plain", GZIP), 400, "malformed-body", None),
    ("half a gzip", "POST", "/v1/track", raw(gzip.compress(b"{}" * 90)[:-9], GZIP), 400, "malformed-body", None),
    ("more than a gzip", "POST", "/v1/track", raw(gzip.compress(b"{}") + b"x", GZIP), 400, "malformed-body", None),
    ("too large", "POST", "/v1/track", raw(b" " * 500_001), 413, "body-too-large", None),
    ("a gzip bomb", "POST", "/v1/track", raw(gzip.compress(b" " * 50_000_000), GZIP), 413, "body-too-large", None),
    (
        "too large an event",
        "POST",
        "/v1/track",
        sent({**TRACK, "properties": {"a": "x" * 33_000}}),
        413,
        "body-too-large",
        "/",
    ),
    (
        "too large an event in a batch",
        "POST",
        "/v1/batch",
        sent({"batch": [{"type": "track", **TRACK}, {"type": "track", **TRACK, "properties": {"a": "x" * 33_000}}]}),
        413,
        "body-too-large",
        "/batch/1",
    ),
    (
        "too large an event of ours",
        "POST",
        "/v1/events",
        sent({"event": "x", "contact": {"user_id": "u"}, "properties": {"a": "x" * 33_000}}),
        413,
        "body-too-large",
        "/properties",
    ),
    ("no contact", "POST", "/v1/track", sent({"event": "x"}), 422, "invalid-request", "/userId"),
    ("blank contact", "POST", "/v1/track", sent({"event": "x", "userId": " "}), 422, "invalid-request", "/userId"),
    ("no event", "POST", "/v1/track", sent({"userId": "u1"}), 422, "invalid-request", "/event"),
    ("blank event", "POST", "/v1/track", sent({"userId": "u1", "event": ""}), 422, "invalid-request", "/event"),
    ("long id", "POST", "/v1/track", sent({**TRACK, "userId": "u" * 256}), 422, "invalid-request", "/userId"),
    ("id as object", "POST", "/v1/track", sent({**TRACK, "userId": {"a": 1}}), 422, "invalid-request", "/userId"),
    ("properties as list", "POST", "/v1/track", sent({**TRACK, "properties": []}), 422, None, "/properties"),
    ("no time", "POST", "/v1/track", sent({**TRACK, "timestamp": "now"}), 422, "invalid-request", "/timestamp"),
    ("no zone", "POST", "/v1/track", sent({**TRACK, "timestamp": "2026-03-01T09:30:00"}), 422, None, "/timestamp"),
    ("a number as time", "POST", "/v1/track", sent({**TRACK, "timestamp": 1}), 422, "invalid-request", "/timestamp"),
    ("no such day", "POST", "/v1/track", sent({**TRACK, "timestamp": "2026-02-30T00:00:00Z"}), 422, None, "/timestamp"),
    ("the year 1", "POST", "/v1/track", sent({**TRACK, "sentAt": "0001-01-01T00:00:00+14:00"}), 422, None, "/sentAt"),
    (
        "original time",
        "POST",
        "/v1/track",
        sent({**TRACK, "originalTimestamp": "x"}),
        422,
        "invalid-request",
        "/originalTimestamp",
    ),
    ("alias for nobody", "POST", "/v1/alias", sent({"previousId": "a"}), 422, "invalid-request", "/userId"),
    ("alias of nobody", "POST", "/v1/alias", sent({"userId": "a"}), 422, "invalid-request", "/previousId"),
    ("group without id", "POST", "/v1/group", sent({"userId": "a"}), 422, "invalid-request", "/groupId"),
    ("batch of nothing", "POST", "/v1/batch", sent({}), 422, "invalid-request", "/batch"),
    ("unknown kind", "POST", "/v1/batch", sent({"batch": [{"type": "fly"}]}), 422, "invalid-request", "/batch/0"),
    ("no kind", "POST", "/v1/batch", sent({"batch": [{"userId": "u"}]}), 422, "invalid-request", "/batch/0"),
    ("batch sent when", "POST", "/v1/batch", sent({"batch": [], "sentAt": "x"}), 422, "invalid-request", "/sentAt"),
    ("misspelt field", "POST", "/v1/events", sent({"evnt": "x", "contact": {"user_id": "u"}}), 422, None, "/evnt"),
    ("event of nobody", "POST", "/v1/events", sent({"event": "x", "contact": {}}), 422, None, "/contact"),
    ("no address", "POST", "/v1/events", sent({"event": "x", "contact": {"email": "x"}}), 422, None, "/contact/email"),
    ("contact without name", "PUT", "/v1/contacts", sent({"traits": {}}), 422, "invalid-request", "/"),
    ("unknown contact", "PUT", "/v1/contacts", sent({"id": UNKNOWN}), 404, "not-found", None),
    ("unknown journey", "POST", "/v1/journeys/nope/enrollments", sent({"contact": {"user_id": "u"}}), 404, None, None),
    ("no journey key", "GET", "/v1/journeys/NOPE!", {}, 422, "invalid-request", "path parameter key"),
    ("unknown step", "GET", "/v1/enrollments?step=No%20Step", {}, 422, None, "query parameter step"),
    ("unknown state", "GET", "/v1/enrollments?state=lost", {}, 422, None, "query parameter state"),
    ("no cursor of ours", "GET", "/v1/enrollments?cursor=x", {}, 422, None, "query parameter cursor"),
    ("cursor of another", "GET", "/v1/contacts?cursor=eyJhZnRlciI6IHt9fQ==", {}, 422, None, "query parameter cursor"),
    ("no limit", "GET", "/v1/journeys?limit=0", {}, 422, "invalid-request", "query parameter limit"),
    ("no limit at all", "GET", "/v1/journeys?limit=many", {}, 422, None, "query parameter limit"),
    ("NUL in a query", "GET", "/v1/contacts?user_id=%00", {}, 422, None, "query parameter user_id"),
    ("too long a name", "GET", f"/v1/contacts?user_id={'u' * 256}", {}, 422, None, "query parameter user_id"),
    ("too long an address", "GET", f"/v1/contacts?email={'u' * 256}", {}, 422, None, "query parameter email"),
    ("no id", "GET", "/v1/enrollments/7", {}, 422, "invalid-request", "path parameter enrollment_id"),
    ("unknown enrollment", "POST", f"/v1/enrollments/{UNKNOWN}/pause", {}, 404, "unknown-enrollment", None),
    ("no reason", "POST", f"/v1/enrollments/{UNKNOWN}/exit", sent({"reason": 1}), 422, "invalid-request", "/reason"),
    ("unknown path", "GET", "/v1/nothing", {}, 404, "unknown-path", None),
    ("unknown method", "DELETE", "/v1/track", {}, 405, "method-not-allowed", None),
    ("no YAML", "PUT", "/v1/journeys/a", raw(b"a: [", {"Content-Type": "application/yaml"}), 422, None, "line 1"),
    ("YAML not UTF-8", "PUT", "/v1/journeys/a", raw(b"\xff", {"Content-Type": "application/yaml"}), 400, None, None),
    ("empty journey", "PUT", "/v1/journeys/a", sent({}), 422, "invalid-journey", "key"),
    ("journey as form", "PUT", "/v1/journeys/a", raw(b"a=b", {"Content-Type": "text/html"}), 415, None, None),
    ("no consent", "POST", f"/v1/contacts/{UNKNOWN}/consents", sent({"purpose": "fun"}), 422, None, "/purpose"),
]


@pytest.mark.parametrize("case", REQUESTS, ids=[case[0] for case in REQUESTS])
async def test_bad_input_is_answered_by_a_problem_and_changes_nothing(
    client: httpx.AsyncClient, sessions: Sessions, case: tuple[Any, ...]
) -> None:
    _, method, path, options, status, name, field = case
    answer = await client.request(method, path, **options)
    problem = answer.json()
    assert answer.status_code == status, problem
    assert answer.headers["content-type"] == "application/problem+json"
    kind = PROBLEM_TYPES[problem["type"].removeprefix("/problems/")]
    assert (problem["title"], problem["status"], kind.status) == (kind.title, answer.status_code, answer.status_code)
    assert name is None or kind.name == name
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    if field is not None:
        assert field in [error["field"] for error in problem["errors"]]
    assert all(error["what"] and error["remedy"] for error in problem["errors"])
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Event)) == 0
        assert await session.scalar(select(func.count()).select_from(Contact)) == 0


async def test_a_text_that_only_looks_like_nul_is_kept(client: httpx.AsyncClient, sessions: Sessions) -> None:
    body = json.dumps({**TRACK, "properties": {"path": "C:\\u0000", "smile": "😀"}}).encode()
    assert (await client.post("/v1/track", content=body, headers=JSON)).status_code == 200
    async with sessions() as session:
        event = (await session.scalars(select(Event))).one()
    assert event.properties == {"path": "C:\\u0000", "smile": "😀"}


async def test_a_body_in_zlib_without_gzip_header_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/track", content=zlib.compress(b"{}"), headers=GZIP)
    assert answer.json()["type"] == "/problems/malformed-body"


async def test_a_request_id_of_the_callers_is_kept_and_an_odd_one_replaced(client: httpx.AsyncClient) -> None:
    kept = await client.get("/healthz", headers={"X-Request-Id": "abc-1"})
    replaced = await client.get("/healthz", headers={"X-Request-Id": "a b"})
    assert kept.headers["x-request-id"] == "abc-1"
    assert replaced.headers["x-request-id"] != "a b"
