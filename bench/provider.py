"""A mail provider that is only slow: takes every mail after the time a real one takes. In a process of its own.

It judges nothing, so that what is measured is whoever sends; the strict one that tests use is in `tests.support`.
"""

import asyncio
import multiprocessing
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from typing import Any

import uvicorn

LATENCY_SECONDS = 0.05
_SPAWN = multiprocessing.get_context("spawn")
_Message = MutableMapping[str, Any]


@dataclass(frozen=True)
class Provider:
    """Where it answers, and how many mails it has taken."""

    url: str
    taken: "Synchronized[int]"


@asynccontextmanager
async def running_provider() -> AsyncIterator[Provider]:
    """Serve `POST /v3/mail/send` on a free port of the loopback."""
    taken = _SPAWN.Value("i", 0)
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        process = _SPAWN.Process(target=_serve, args=(listening, taken))
        process.start()
        try:
            yield Provider(f"http://127.0.0.1:{listening.getsockname()[1]}", taken)
        finally:
            process.terminate()
            await asyncio.to_thread(process.join, 10)
            process.kill()


def _serve(listening: socket.socket, taken: "Synchronized[int]") -> None:
    async def app(scope: _Message, receive: Callable[[], Awaitable[_Message]], send: Callable[..., Any]) -> None:
        assert (scope["method"], scope["path"]) == ("POST", "/v3/mail/send")
        while (await receive()).get("more_body"):
            pass
        await asyncio.sleep(LATENCY_SECONDS)
        with taken.get_lock():
            taken.value += 1
        headers = [(b"x-message-id", b"%d" % taken.value), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_keep_alive=60)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))
