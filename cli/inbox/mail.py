"""A received mail as people and programs want to read it: decoded headers, text, HTML, attachments.

Whatever arrives is shown: a broken header or an unknown character set never hides a mail. Keeping mails is in
`cli.inbox.store`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser, BytesParser
from functools import cached_property
from mimetypes import guess_extension

_SENDER = "Return-Path"
_RECIPIENT = "Delivered-To"
_CONTENT_ID = re.compile(r"""(["'(=\s])cid:([^"')\s>]+)""")


@dataclass(frozen=True)
class Attachment:
    """A part of a mail that is not its text. `number` counts from 0 within the mail."""

    number: int
    name: str
    content_type: str
    content_id: str
    content: bytes

    @property
    def size(self) -> int:
        """Bytes after decoding."""
        return len(self.content)


@dataclass(frozen=True)
class Summary:
    """What a list of mails shows. `recipients` are those of the envelope, that is, who really got it."""

    sender: str
    recipients: tuple[str, ...]
    subject: str


class Mail:
    """One mail, read from its bytes when asked."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    @cached_property
    def headers(self) -> Sequence[tuple[str, str]]:
        """All headers in their order, decoded."""
        return tuple((name, _decoded(value)) for name, value in _raw_headers(self.content))

    @cached_property
    def text(self) -> str:
        """The plain text; empty if there is none."""
        return self._body("plain")

    @cached_property
    def html(self) -> str:
        """The HTML as it was sent; empty if there is none."""
        return self._body("html")

    @cached_property
    def attachments(self) -> Sequence[Attachment]:
        """Everything but the text: attached files and inline pictures."""
        bodies = {id(self._part("plain")), id(self._part("html"))}
        others = [part for part in self._leaves() if id(part) not in bodies]
        return tuple(_attachment(number, part) for number, part in enumerate(others))

    def html_with_pictures(self, address: str) -> str:
        """The HTML with each `cid:` reference replaced by `address` followed by the attachment's number."""
        numbers = {attachment.content_id: attachment.number for attachment in self.attachments if attachment.content_id}

        def replace(match: re.Match[str]) -> str:
            number = numbers.get(match[2])
            return match[0] if number is None else f"{match[1]}{address}{number}"

        return _CONTENT_ID.sub(replace, self.html)

    @cached_property
    def _message(self) -> EmailMessage:
        message = BytesParser(policy=policy.default).parsebytes(self.content)
        assert isinstance(message, EmailMessage)
        return message

    def _leaves(self) -> Iterator[Message]:
        return (part for part in self._message.walk() if not part.is_multipart())

    def _part(self, kind: str) -> Message | None:
        """The first text part of the kind that is not attached as a file."""
        wanted = f"text/{kind}"
        for part in self._leaves():
            if part.get_content_type() == wanted and part.get_content_disposition() != "attachment":
                return part
        return None

    def _body(self, kind: str) -> str:
        part = self._part(kind)
        return "" if part is None else _text(part)


def summarise(content: bytes) -> Summary:
    """Reads only the headers a list needs; quick enough for thousands of mails."""
    found: dict[str, list[str]] = {}
    for name, value in _raw_headers(content):
        found.setdefault(name.casefold(), []).append(value)

    def values(*names: str) -> Iterator[str]:
        return (_decoded(value) for name in names for value in found.get(name.casefold(), ()))

    recipients = tuple(values(_RECIPIENT)) or tuple(values("To"))
    return Summary(sender=next(values("From", _SENDER), ""), recipients=recipients, subject=next(values("Subject"), ""))


def with_envelope(content: bytes, *, sender: str, recipients: Sequence[str]) -> bytes:
    """The mail as a mail server files it: the envelope's addresses stand on top as headers of their own."""
    lines = [f"{_SENDER}: <{_one_line(sender)}>", *(f"{_RECIPIENT}: {_one_line(one)}" for one in recipients)]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace") + content


def _raw_headers(content: bytes) -> Iterable[tuple[str, str]]:
    # The older policy takes any header as it is, and `raw_items` gives bytes that are not ASCII as surrogates.
    return BytesHeaderParser(policy=policy.compat32).parsebytes(content).raw_items()


def _decoded(raw: str) -> str:
    """A header's text with folded lines joined, raw UTF-8 and encoded words decoded."""
    unfolded = re.sub(r"[\r\n]+", "", raw).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if "=?" not in unfolded:
        return unfolded.strip()
    try:
        return str(policy.default.header_factory("Subject", unfolded)).strip()
    except (LookupError, UnicodeError, ValueError, AttributeError):  # the parser's own faults with malformed words
        return unfolded.strip()


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    charset = part.get_content_charset("utf-8")
    try:
        return content.decode(charset, "replace")
    except LookupError:
        return content.decode("latin-1")


def _attachment(number: int, part: Message) -> Attachment:
    payload = part.get_payload(decode=True)
    invented = f"part-{number + 1}{guess_extension(part.get_content_type()) or ''}"
    return Attachment(
        number=number,
        name=_decoded(part.get_filename("")) or invented,
        content_type=part.get_content_type(),
        content_id=str(part.get("Content-ID", "")).strip(" <>"),
        content=payload if isinstance(payload, bytes) else b"",
    )


def _one_line(text: str) -> str:
    return re.sub(r"[\r\n]+", " ", text)
