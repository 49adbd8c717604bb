"""A strict SendGrid on loopback: refuses what SendGrid refuses, keeps what it accepts, fails as it is told.

Requests are validated against SendGrid's own OpenAPI description where that lies beside the repository, and against
rules it does not state: no unknown field, an Authorization header, plain text before HTML, some content, no reserved
header, an address only once. It counts connections, so a test can tell whether they are reused.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

DESCRIPTION = Path(__file__).resolve().parents[3] / "shared" / "data" / "sendgrid_mail_v3.openapi.json"
KEY = "SG.test-key.of-no-account"
RESERVED = {
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding",
    "to", "from", "subject", "reply-to", "cc", "bcc",
}  # fmt: skip


@lru_cache(maxsize=1)
def description() -> Draft202012Validator | None:
    """The validator of a request body from SendGrid's own description; None where it is not at hand."""
    if not DESCRIPTION.exists():
        return None
    document = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    schema = document["components"]["requestBodies"]["PostMailSend"]["content"]["application/json"]["schema"]
    whole = {"$ref": "#/body", "body": _closed(schema), "components": _closed(document["components"])}
    return Draft202012Validator(whole, format_checker=FormatChecker())


def _closed(schema: Any) -> Any:
    """The same with unknown fields refused, which SendGrid does and its description does not say."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed


def findings(body: Any) -> list[str]:
    """What is wrong with a request body; empty where it would be accepted."""
    validator = description()
    found = [error.message for error in validator.iter_errors(body)] if validator else []
    return found or list(_own_rules(body))


def _own_rules(body: dict[str, Any]) -> Iterator[str]:
    types = [part["type"] for part in body.get("content", [])]
    if not types and "template_id" not in body:
        yield "there is neither content nor template"
    if types != sorted(types, key=["text/plain", "text/html"].index):
        yield "text/plain must come before text/html"
    for personalization in body["personalizations"]:
        people = [to["email"].lower() for kind in ("to", "cc", "bcc") for to in personalization.get(kind, [])]
        if len(people) != len(set(people)):
            yield "an address comes twice"
        if not (personalization.get("subject") or body.get("subject")):
            yield "there is no subject"
        if reserved := {name for name in personalization.get("headers", {}) if name.lower() in RESERVED}:
            yield f"reserved headers: {reserved}"


@dataclass
class FakeSendGrid:
    """The server. `answer` is the status of the next mails; `accepted` and `refused` are bodies, `paths` requests."""

    url: str = ""
    answer: int | str = 202
    headers: dict[str, str] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)
    refused: list[tuple[dict[str, Any], list[str]]] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    connections: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)


RESET = "connection reset after reading the body"
SILENCE = "no answer after reading the body"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeSendGrid

    def setup(self) -> None:
        super().setup()
        with self.fake.lock:
            self.fake.connections += 1

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name the base class gave it
        pass

    def do_GET(self) -> None:
        self._note()
        self._reply(202, {})

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._note()
        if self.fake.answer == RESET:
            self.close_connection = True
            self.connection.close()
        elif self.fake.answer == SILENCE:
            self.fake.released.wait(30)
            self.close_connection = True
        elif self.headers.get("Authorization") != f"Bearer {KEY}":
            self._reply(401, _errors("authorization required"))
        elif self.fake.answer != 202:
            self._reply(int(self.fake.answer), {"errors": self.fake.errors})
        else:
            self._judge(content)

    def _note(self) -> None:
        with self.fake.lock:
            self.fake.requests.append((self.command, self.path, dict(self.headers)))

    def _judge(self, content: bytes) -> None:
        if self.path != "/v3/mail/send":
            return self._reply(404, _errors("not found"))
        if self.headers.get("Content-Type") != "application/json":
            return self._reply(415, _errors("content type"))
        body = json.loads(content)
        found = findings(body)
        with self.fake.lock:
            if found:
                self.fake.refused.append((body, found))
            else:
                self.fake.accepted.append(body)
        if found:
            return self._reply(400, _errors(*found))
        return self._reply(202, None, {"X-Message-Id": f"sg-{len(self.fake.accepted)}"})

    def _reply(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**self.fake.headers, **(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _errors(*messages: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "field": None, "help": None} for message in messages]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


@contextmanager
def fake_sendgrid() -> Iterator[FakeSendGrid]:
    """A server on a free port, in threads of its own."""
    fake = FakeSendGrid()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"fake": fake}))
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        fake.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def sendgrid() -> Iterator[FakeSendGrid]:
    """A fresh strict SendGrid."""
    with fake_sendgrid() as fake:
        yield fake
