"""The web side of the inbox put together: pages for people, JSON for programs, and the SMTP server beside them.

Everything listens on the loopback interface and answers only to its names: what the inbox holds is nobody else's.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import PlainTextResponse
from fastapi.staticfiles import StaticFiles

from cli.inbox import mails, pages
from cli.inbox.smtp import serve_smtp
from cli.inbox.store import MailStore

_LOOPBACK = "127.0.0.1"


def create_inbox(store: MailStore, *, smtp_port: int) -> FastAPI:
    """The application. While it runs, it also listens for SMTP on `smtp_port`."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        server = await serve_smtp(store, host=_LOOPBACK, port=smtp_port)
        yield
        server.close()

    app = FastAPI(title="Dauerlauf inbox", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.store = store
    app.middleware("http")(_refuse_strangers)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[_LOOPBACK, "localhost"])
    app.include_router(pages.router)
    app.include_router(mails.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).with_name("static")), name="static")
    return app


async def _refuse_strangers(request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuses what another web page makes a browser send here, except to look at something."""
    origin = urlsplit(request.headers.get("origin", "")).netloc
    strange = origin != request.headers.get("host", "") if "origin" in request.headers else False
    if strange and request.method not in {"GET", "HEAD"}:
        return PlainTextResponse("This request comes from another site.", HTTPStatus.FORBIDDEN)
    return await proceed(request)
