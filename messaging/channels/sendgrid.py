"""Mail through SendGrid: the message in its words, and its answers in ours. How bytes travel is in the transport.

SendGrid has no idempotency key, so this never tries twice. What it may learn about people is kept small: no
categories, no tracking, and as custom argument nothing but the opaque id of the message.
"""

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import (
    ClickTracking,
    CustomArg,
    From,
    Ganalytics,
    Header,
    Mail,
    OpenTracking,
    Personalization,
    Subject,
    SubscriptionTracking,
    To,
    TrackingSettings,
)

from kit.clock import Clock, wall_clock
from kit.errors import Invalid
from kit.settings import Settings
from messaging.channels.base import Accepted, NotSent, Outgoing, Rejected, Uncertain
from messaging.channels.sendgrid_transport import READ_SECONDS, PooledClient, open_pool

AT_ONCE = 64
"""Mails in flight at most: threads, and connections of the pool."""

_NOT_PROCESSED = frozenset({301, 302, 307, 308, 408})
_ABOUT_US = frozenset({401, 403, 404, 405})
_FIELD = re.compile(r"^[\w.\[\]-]{1,80}$")


class SendGridChannel:
    """Sends through the v3 mail API, in threads of its own: the official package is synchronous."""

    provider = "sendgrid"

    def __init__(self, settings: Settings, *, clock: Clock = wall_clock, read_seconds: float = READ_SECONDS) -> None:
        key = settings.sendgrid_api_key.get_secret_value()
        if not key:
            raise Invalid("There is no SendGrid key.", remedy="Set SENDGRID_API_KEY, or DAUERLAUF_MAIL_PROVIDER=smtp.")
        # At DEBUG this logger prints the key and every mail, so it never gets there, whatever logging is set to.
        logging.getLogger("python_http_client").setLevel(logging.WARNING)
        self._clock = clock
        self._pool = open_pool(AT_ONCE, read_seconds=read_seconds)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sendgrid")
        self._api = SendGridAPIClient(key, host=_safe_host(settings.sendgrid_host))
        headers = {**self._api.client.request_headers, "Content-Type": "application/json"}
        self._api.client = PooledClient(self._pool, host=self._api.host, request_headers=headers, version=3)

    async def send(self, outgoing: Outgoing) -> Accepted:
        """Hand over once. Raises NotSent, Rejected or Uncertain."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._send, outgoing)

    async def close(self) -> None:
        """Let go of threads and connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pool.clear()

    def _send(self, outgoing: Outgoing) -> Accepted:
        try:
            response = self._api.send(as_mail(outgoing))
        except HTTPError as error:
            raise self._explained(error) from None
        return Accepted(response.headers.get("X-Message-Id"))

    def _explained(self, error: HTTPError) -> Exception:
        """What an answer other than 202 means for this one message."""
        said = f"SendGrid answered {error.status_code}{_fields(error.body)}"
        if error.status_code == 429:  # noqa: PLR2004  the one status with a time in it
            return NotSent(said, retry_after=_until_reset(error.headers, self._clock()))
        if error.status_code in _NOT_PROCESSED | _ABOUT_US:
            return NotSent(said)  # a wrong key or host is about us, not about this message
        if 400 <= error.status_code < 500:  # noqa: PLR2004  the class of statuses, RFC 9110
            return Rejected(said)
        return Uncertain(said)  # 5xx; and 200, which the sandbox answers and which is not a mail sent


def as_mail(outgoing: Outgoing) -> Mail:
    """The request in the words of SendGrid: one recipient, plain text before HTML, every kind of tracking off."""
    mail = Mail(
        from_email=From(outgoing.sender.address, outgoing.sender.name or None),
        subject=Subject(outgoing.subject),
        plain_text_content=outgoing.text,
        html_content=outgoing.html or None,
    )
    personalization = Personalization()
    personalization.add_to(To(outgoing.recipient.address, outgoing.recipient.name or None))
    # Here, not at the message: SendGrid's own description takes only a string there.
    personalization.add_custom_arg(CustomArg("message_id", str(outgoing.message_id)))
    for name, value in outgoing.headers.items():
        personalization.add_header(Header(name, value))
    mail.add_personalization(personalization)
    mail.tracking_settings = TrackingSettings(
        ClickTracking(enable=False, enable_text=False),
        OpenTracking(enable=False),
        SubscriptionTracking(enable=False),
        Ganalytics(enable=False),
    )
    return mail


def _safe_host(host: str) -> str:
    """The address of the API without a final slash. Plain HTTP only to this machine: the key is in every request."""
    parts = urlsplit(host)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}):
        return host.rstrip("/")
    raise Invalid("The setting DAUERLAUF_SENDGRID_HOST is no https address.", remedy="Write https://api.sendgrid.com.")


def _until_reset(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long until the rate limit is lifted, from `X-RateLimit-Reset` (seconds since 1970)."""
    reset = headers.get("X-RateLimit-Reset", "")
    if not reset.isdecimal() or len(reset) > 11:  # noqa: PLR2004  later than any clock
        return None
    return max(datetime.fromtimestamp(int(reset), UTC) - now, timedelta())


def _fields(body: bytes) -> str:
    """The fields SendGrid names in an error. Its sentences may quote an address and are left out."""
    try:
        errors: Any = json.loads(body).get("errors")
        fields = [error.get("field") for error in errors]
    except (ValueError, AttributeError, TypeError):
        return ""
    named = [field for field in fields if isinstance(field, str) and _FIELD.match(field)]
    return f" ({', '.join(named[:3])})" if named else ""
