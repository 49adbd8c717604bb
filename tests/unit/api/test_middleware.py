"""Bodies are read within bounds, compressed or not, however they arrive."""

import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from api.middleware import BodyMiddleware, RequestIdMiddleware

LIMIT = 1_000


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


async def post(content: bytes | AsyncIterator[bytes], **headers: str) -> httpx.Response:
    app = RequestIdMiddleware(BodyMiddleware(echo, LIMIT))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client:
        return await client.post("/", content=content, headers=headers)


async def in_parts(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.mark.parametrize("size", [0, 1, LIMIT - 1, LIMIT])
async def test_bodies_up_to_the_limit_pass_whole(size: int) -> None:
    assert (await post(b"x" * size)).text == str(size)
    assert (await post(gzip.compress(b"x" * size), **{"Content-Encoding": "gzip"})).text == str(size)


async def test_one_byte_more_is_refused_whether_announced_or_not() -> None:
    assert (await post(b"x" * (LIMIT + 1))).status_code == 413
    assert (await post(in_parts(b"x" * (LIMIT + 1), 100))).status_code == 413
    assert (await post(gzip.compress(b"x" * (LIMIT + 1)), **{"Content-Encoding": "gzip"})).status_code == 413


async def test_gzip_may_arrive_in_pieces() -> None:
    content = gzip.compress(json.dumps(list(range(200))).encode())
    assert (await post(in_parts(content, 3), **{"Content-Encoding": "gzip"})).text == "890"


async def test_a_bomb_is_never_inflated() -> None:
    bomb = gzip.compress(b"\0" * 100_000_000)
    tracemalloc.start()
    answer = await post(bomb, **{"Content-Encoding": "gzip"})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 413
    assert peak < 5_000_000


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
async def test_other_encodings_are_refused_by_name(encoding: str) -> None:
    answer = await post(b"x", **{"Content-Encoding": encoding})
    assert answer.status_code == 415
    assert encoding in answer.json()["detail"]


async def test_a_caller_who_goes_away_is_not_answered() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    await BodyMiddleware(echo, LIMIT)(scope, receive, send)
    assert sent == []


async def test_an_error_after_the_answer_began_is_not_hidden() -> None:
    async def half(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ClientDisconnect

    app = RequestIdMiddleware(half)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client:
        with pytest.raises(ClientDisconnect):
            await client.get("/")
