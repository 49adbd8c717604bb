"""Mail over SMTP: the default, and what the local inbox of `dauerlauf up` speaks. One connection per message.

Until the server has asked for the content (354) nothing can have been sent. From then on a lost connection is
uncertain, because the final dot may have arrived; an answer with a code is certain at every stage.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY

import aiosmtplib

from kit.settings import Settings
from messaging.channels.base import Accepted, Mailbox, NotSent, Outgoing, Rejected, Uncertain

CONNECT_AND_ANSWER_SECONDS = 10
_GOODBYE_SECONDS = 1
"""What became of the message is known by then and waits to be written down."""
IMPLICIT_TLS_PORT = 465
_ENHANCED_CODE = re.compile(r"^\s*(\d\.\d{1,3}\.\d{1,3})\b")
_QUEUED_AS = re.compile(r"queued as ([\w.-]{1,100})", re.IGNORECASE)
# 7bit: every server takes quoted-printable; whether it takes raw bytes would have to be asked.
_POLICY = SMTP_POLICY.clone(cte_type="7bit")


class SmtpChannel:
    """Sends through one SMTP server, with STARTTLS where the server offers it or the settings demand it."""

    provider = "smtp"

    def __init__(self, settings: Settings, *, seconds: float = CONNECT_AND_ANSWER_SECONDS) -> None:
        self._settings = settings
        self._seconds = seconds

    async def send(self, outgoing: Outgoing) -> Accepted:
        """Hand over once. Raises NotSent, Rejected or Uncertain."""
        content = _content(outgoing)
        client = self._client(outgoing.sender)
        try:
            await _prepare(client, outgoing)
            return await _transfer(client, content)
        finally:
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=_GOODBYE_SECONDS)
            client.close()

    async def close(self) -> None:
        """Nothing is kept open between messages."""

    def _client(self, sender: Mailbox) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user or None,
            password=settings.smtp_password.get_secret_value() or None,
            start_tls=settings.smtp_start_tls or None,  # None: where the server offers it
            use_tls=settings.smtp_port == IMPLICIT_TLS_PORT,
            timeout=self._seconds,
            local_hostname=sender.address.rpartition("@")[2],  # otherwise a DNS look-up per message
        )


async def _prepare(client: aiosmtplib.SMTP, outgoing: Outgoing) -> None:
    """Everything before the content. Only the server's final word on the recipient is a rejection."""
    try:
        await client.connect()
        await client.mail(outgoing.sender.address)
        await client.rcpt(outgoing.recipient.address)
    except aiosmtplib.SMTPRecipientRefused as refusal:
        raise _answered(refusal, "the recipient") from None
    except aiosmtplib.SMTPResponseException as refusal:
        # A refused greeting, login or sender is about us, not about this message: it waits until that is mended.
        raise NotSent(f"the mail server refused us with {_code(refusal)}") from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise NotSent(f"the mail server could not be reached ({type(error).__name__})") from None


async def _transfer(client: aiosmtplib.SMTP, content: bytes) -> Accepted:
    try:
        response = await client.data(content)
    except aiosmtplib.SMTPResponseException as refusal:
        raise _answered(refusal, "the message") from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Uncertain(f"the mail server's answer to the content was lost ({type(error).__name__})") from None
    queued = _QUEUED_AS.search(response.message)
    return Accepted(queued.group(1) if queued else None)


def _answered(refusal: aiosmtplib.SMTPResponseException, what: str) -> Exception:
    said = f"the mail server answered {_code(refusal)} to {what}"
    if 400 <= refusal.code < 500:  # noqa: PLR2004  the classes of reply codes, RFC 5321
        return NotSent(said)
    return Rejected(said) if refusal.code >= 500 else Uncertain(said)  # noqa: PLR2004


def _code(refusal: aiosmtplib.SMTPResponseException) -> str:
    """The reply code and the enhanced code. The text after them may name people and is left out."""
    enhanced = _ENHANCED_CODE.match(refusal.message)
    return f"{refusal.code} {enhanced.group(1)}" if enhanced else str(refusal.code)


def _content(outgoing: Outgoing) -> bytes:
    try:
        return as_mime(outgoing).as_bytes()
    except (ValueError, LookupError) as error:
        raise Rejected(f"the message cannot be written as a mail ({type(error).__name__})") from None


def as_mime(outgoing: Outgoing) -> EmailMessage:
    """The message as multipart/alternative, plain text first; without HTML as that alone.

    Names are encoded, never concatenated into headers.
    """
    message = EmailMessage(policy=_POLICY)
    for name, value in _headers(outgoing).items():
        message[name] = value
    message.set_content(outgoing.text)
    if outgoing.html:
        message.add_alternative(outgoing.html, subtype="html")
    return message


def _headers(outgoing: Outgoing) -> Mapping[str, object]:
    return {
        "From": _address(outgoing.sender),
        "To": _address(outgoing.recipient),
        "Subject": outgoing.subject,
        "Date": outgoing.at,
        **outgoing.headers,
    }


def _address(mailbox: Mailbox) -> Address:
    return Address(display_name=mailbox.name, addr_spec=mailbox.address)
