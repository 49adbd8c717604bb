"""A real SMTP server on loopback that keeps what it gets, and misbehaves as it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import StrEnum
from typing import Any

import pytest_asyncio
from aiosmtpd.smtp import SMTP, Envelope, Session


class Trouble(StrEnum):
    """What goes wrong with every message until it is told otherwise."""

    NONE = "none"
    SENDER_REFUSED = "sender refused"
    RECIPIENT_REFUSED = "recipient refused"
    RECIPIENT_LATER = "recipient later"
    HANG_UP_BEFORE_DATA = "hang up before data"
    CONTENT_REFUSED = "content refused"
    CONTENT_LATER = "content later"
    HANG_UP_AFTER_DATA = "hang up after data"
    SILENCE_AFTER_DATA = "silence after data"


@dataclass
class MailServer:
    """The server and what it has accepted. `taken` counts contents read to the end, accepted or not."""

    port: int = 0
    trouble: Trouble = Trouble.NONE
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    taken: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    at: Callable[[str], None] = lambda _: None
    """Called with `MAIL`, `DATA` (content read, not yet answered) and `QUIT` (accepted, not yet recorded)."""

    async def handle_MAIL(self, server: Any, _: Session, envelope: Envelope, address: str, __: list[str]) -> str:  # noqa: N802
        self.at("MAIL")
        if self.trouble is Trouble.SENDER_REFUSED:
            return "553 5.7.1 <boss@example.com> may not send here"
        if self.trouble is Trouble.HANG_UP_BEFORE_DATA:
            server.transport.abort()
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, _: Any, __: Session, envelope: Envelope, address: str, ___: list[str]) -> str:  # noqa: N802
        if self.trouble is Trouble.RECIPIENT_REFUSED:
            return f"550 5.1.1 <{address}> unknown here"
        if self.trouble is Trouble.RECIPIENT_LATER:
            return f"450 4.2.1 <{address}> comes back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _: Session, envelope: Envelope) -> str:  # noqa: N802
        self.taken += 1
        match self.trouble:
            case Trouble.CONTENT_REFUSED:
                return "554 5.6.0 no such content here"
            case Trouble.CONTENT_LATER:
                return "451 4.3.0 come back later"
            case Trouble.SILENCE_AFTER_DATA:
                await self.released.wait()
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.envelopes.append((envelope.mail_from or "", list(envelope.rcpt_tos)))
        self.at("DATA")
        if self.trouble is Trouble.HANG_UP_AFTER_DATA:
            server.transport.abort()
        return f"250 2.0.0 OK: queued as Q{self.taken}"

    async def handle_QUIT(self, _: Any, __: Session, ___: Envelope) -> str:  # noqa: N802
        self.at("QUIT")
        return "221 Bye"


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    """A server on a free port, in this event loop."""
    mails = MailServer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mails, hostname="localhost", loop=loop), "127.0.0.1", 0)
    mails.port = server.sockets[0].getsockname()[1]
    try:
        yield mails
    finally:
        mails.released.set()
        server.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 1)


@pytest_asyncio.fixture
async def mails() -> AsyncIterator[MailServer]:
    """A fresh mail server."""
    async with mail_server() as server:
        yield server
