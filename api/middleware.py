"""What happens to every request before routing: a request id, the body read within bounds, and a last safety net.

Pure ASGI, so that nothing is buffered twice and cancelled requests stay cancelled.
"""

import re
import uuid
import zlib

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.errors import problem_response, unexpected
from api.problems import ProblemType

REQUEST_ID = re.compile(r"^[A-Za-z0-9._:-]{1,100}$")
GZIP_WINDOW = 16 + zlib.MAX_WBITS


class RequestIdMiddleware:
    """Gives each request an id (the caller's own, where it sent a usable one) and answers what nobody foresaw."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if REQUEST_ID.match(given) else str(uuid.uuid4())
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception as error:
                if started:
                    raise
                await unexpected(scope, error)(scope, receive, send_with_id)


class _BodyRefusedError(Exception):
    def __init__(self, kind: ProblemType, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class BodyMiddleware:
    """Reads the whole body, at most `limit` bytes of it after decompression; a gzip bomb stops at the limit too."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(Headers(scope=scope), receive)
        except _BodyRefusedError as refused:
            await problem_response(refused.kind, refused.detail, scope=scope)(scope, receive, send)
            return
        if body is None:
            return
        delivered = False

        async def receive_read() -> Message:
            nonlocal delivered
            if delivered:
                return await receive()
            delivered = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, receive_read, send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes | None:
        """The body, decompressed; None where the caller went away."""
        collected = _collector(headers.get("content-encoding", "").strip().lower(), self._limit)
        announced = headers.get("content-length", "")
        if not collected.compressed and announced.isdecimal() and int(announced[:20]) > self._limit:
            raise too_large(self._limit)
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            collected.add(message.get("body", b""))
            if not message.get("more_body", False):
                return collected.end()


class _Plain:
    compressed = False

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts = bytearray()

    def add(self, part: bytes) -> None:
        self._parts += part
        if len(self._parts) > self._limit:
            raise too_large(self._limit)

    def end(self) -> bytes:
        return bytes(self._parts)


class _Gzip(_Plain):
    compressed = True

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self._inflate = zlib.decompressobj(GZIP_WINDOW)

    def add(self, part: bytes) -> None:
        if self._inflate.eof and part:
            raise _broken_gzip()
        try:
            # One byte more than allowed is asked for, never what a bomb would give.
            super().add(self._inflate.decompress(part, self._limit + 1 - len(self._parts)))
        except zlib.error as error:
            raise _broken_gzip() from error
        if self._inflate.unused_data:
            raise _broken_gzip()

    def end(self) -> bytes:
        if not self._inflate.eof:
            raise _broken_gzip()
        return super().end()


def _collector(encoding: str, limit: int) -> _Plain:
    if encoding in {"", "identity"}:
        return _Plain(limit)
    if encoding in {"gzip", "x-gzip"}:
        return _Gzip(limit)
    raise _BodyRefusedError(
        problems.UNSUPPORTED_MEDIA_TYPE,
        f"The body is encoded as '{encoding[:40]}'. Send it plain or with Content-Encoding: gzip.",
    )


def too_large(limit: int) -> _BodyRefusedError:
    """The refusal of a body larger than `limit` bytes after decompression."""
    return _BodyRefusedError(
        problems.BODY_TOO_LARGE,
        f"The body is larger than {limit:,} bytes after decompression. Split it into several requests.",
    )


def _broken_gzip() -> _BodyRefusedError:
    return _BodyRefusedError(
        problems.MALFORMED_BODY, "The body is not gzip, though its header says so. Send all of it, as one gzip member."
    )
