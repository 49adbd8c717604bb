"""How the official SendGrid package reaches SendGrid: pooled connections, time-outs, no redirect, no retry (ADR 0010).

The package's own transport opens a connection per call, knows no time-out, and follows a redirect with the key but
without the mail. So `_make_request` and `_build_client`, its two private seams, are replaced here; a test holds them.
"""

import http.client
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.request import Request

import urllib3
from python_http_client import Client
from python_http_client.exceptions import HTTPError, err_dict

from messaging.channels.base import NotSent, Uncertain

CONNECT_SECONDS = 3
READ_SECONDS = 10
ACCEPTED = 202


def open_pool(connections: int, *, read_seconds: float = READ_SECONDS) -> urllib3.PoolManager:
    """Connections kept open between mails, at most this many; who finds none free waits."""
    return urllib3.PoolManager(
        maxsize=connections,
        block=True,
        timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds),
        retries=False,
    )


class _Body:
    """The request's content, which knows whether any of it was handed to the connection."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.started = False

    def __iter__(self) -> Iterator[bytes]:
        self.started = True
        yield self._content


class _Answer:
    """A response as `python_http_client.Response` reads it."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    def getcode(self) -> int:
        return self._response.status

    def read(self) -> bytes:
        return self._response.data

    def info(self) -> Mapping[str, str]:
        return self._response.headers


class PooledClient(Client):  # type: ignore[misc]  # the package has no types
    """`python_http_client.Client` over a pool of urllib3. Every answer but 202 is an error."""

    def __init__(self, pool: urllib3.PoolManager, **arguments: Any) -> None:
        self._pool = pool
        super().__init__(**arguments)

    def _build_client(self, name: str | None = None) -> "PooledClient":
        return PooledClient(
            self._pool,
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
            append_slash=self.append_slash,
        )

    def _make_request(self, opener: object, request: Request, timeout: object = None) -> _Answer:  # noqa: ARG002
        content = request.data
        assert isinstance(content, bytes)
        body = _Body(content)
        headers = dict(request.header_items()) | {"Content-Length": str(len(content))}
        try:
            response = self._pool.request(
                request.get_method(), request.full_url, body=body, headers=headers, redirect=False
            )
        except (urllib3.exceptions.HTTPError, OSError, http.client.HTTPException) as error:
            kind = type(error).__name__
            if not body.started:  # neither name, connection nor TLS came about: it has no byte of the mail
                raise NotSent(f"SendGrid could not be reached ({kind})") from None
            raise Uncertain(f"SendGrid's answer was lost ({kind})") from None
        if response.status != ACCEPTED:
            error_class = err_dict.get(response.status, HTTPError)
            raise error_class(response.status, response.reason, response.data, response.headers)
        return _Answer(response)
