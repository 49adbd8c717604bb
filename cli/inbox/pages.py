"""The pages of the inbox: a list with search, and one mail as HTML, text, headers or source.

A mail is hostile input: its HTML is shown in a frame without scripts and without our origin, and its attachments are
only ever downloaded, except pictures the HTML itself shows.
"""

import re
from collections.abc import AsyncIterator
from datetime import datetime
from email.utils import parseaddr
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from cli.inbox.mail import Attachment, Mail
from cli.inbox.mails import StoreDep, find_mail
from cli.inbox.store import KEPT, MailStore

router = APIRouter(include_in_schema=False)

_ON_A_PAGE = 50
_KILOBYTE = 1000
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline' http: https:; "
    "img-src http: https: data:; font-src http: https: data:; frame-ancestors 'self'"
)


class View(StrEnum):
    """How a mail is shown."""

    HTML = "html"
    TEXT = "text"
    HEADERS = "headers"
    SOURCE = "source"


@router.get("/")
async def show_list(store: StoreDep, q: str = "", before: str = "") -> Response:
    """The mails, newest first, with search."""
    found = store.find(q, limit=_ON_A_PAGE, before=before)
    more = found[-1].mail_id if len(found) == _ON_A_PAGE and store.find(q, limit=1, before=found[-1].mail_id) else ""
    return _page("list.html", entries=found, total=store.count(q), q=q, before=before, more=more, newest=store.newest())


@router.post("/delete")
async def delete_all(store: StoreDep) -> Response:
    """Deletes all mails and shows the empty list."""
    store.delete_all()
    return RedirectResponse("/", HTTPStatus.SEE_OTHER)


@router.get("/mails/{mail_id}")
async def show_mail(mail_id: str, store: StoreDep, view: View | None = None) -> Response:
    """One mail; its HTML at first, or its text if it has none."""
    entry, mail = find_mail(store, mail_id)
    shown = view or (View.HTML if mail.html else View.TEXT)
    source = mail.content.decode("utf-8", "replace") if shown is View.SOURCE else ""
    return _page("mail.html", entry=entry, mail=mail, view=shown, views=list(View), source=source)


@router.get("/mails/{mail_id}/html")
async def show_html(mail_id: str, store: StoreDep) -> Response:
    """The mail's HTML alone, for the frame: its links open in a new tab."""
    _, mail = find_mail(store, mail_id)
    html = mail.html_with_pictures(f"/mails/{quote(mail_id)}/attachments/")
    with_target, count = re.subn(r"(<head\b[^>]*>)", r'\1<base target="_blank">', html, count=1, flags=re.IGNORECASE)
    shown = with_target if count else f'<base target="_blank">{html}'
    return HTMLResponse(shown, headers=_headers(_MAIL_POLICY))


@router.get("/mails/{mail_id}/source")
async def download(mail_id: str, store: StoreDep) -> Response:
    """The whole mail as an `.eml` file."""
    _, mail = find_mail(store, mail_id)
    return _download(mail.content, name=f"{mail_id}.eml", content_type="message/rfc822")


@router.get("/mails/{mail_id}/attachments/{number}")
async def show_attachment(mail_id: str, number: int, store: StoreDep) -> Response:
    """One attachment: pictures as they are, everything else as a download."""
    attachment = _attachment(find_mail(store, mail_id)[1], number)
    if attachment.content_type in _PICTURES:
        return Response(attachment.content, media_type=attachment.content_type, headers=_headers(_MAIL_POLICY))
    return _download(attachment.content, name=attachment.name, content_type="application/octet-stream")


@router.get("/events")
async def events(store: StoreDep, newest: Annotated[str, Query()] = "") -> Response:
    """Tells an open list that its mails have changed (server-sent events)."""
    return StreamingResponse(_changes(store, newest), media_type="text/event-stream", headers=_headers(_PAGE_POLICY))


async def _changes(store: MailStore, shown: str) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    while True:
        if store.newest() != shown:
            shown = store.newest()
            yield f"data: {shown}\n\n"
        else:
            await store.changed()


def _attachment(mail: Mail, number: int) -> Attachment:
    for attachment in mail.attachments:
        if attachment.number == number:
            return attachment
    raise HTTPException(HTTPStatus.NOT_FOUND, "The mail has no such attachment.")


def _download(content: bytes, *, name: str, content_type: str) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    headers = {**_headers(_PAGE_POLICY), "Content-Disposition": disposition}
    return Response(content, media_type=content_type, headers=headers)


def _headers(policy: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def _page(template: str, **values: Any) -> Response:
    html = _TEMPLATES.get_template(template).render(kept=KEPT, **values)
    return HTMLResponse(html, headers=_headers(_PAGE_POLICY))


def _moment(instant: datetime) -> str:
    """In the time zone of this machine, where the reader sits."""
    return instant.astimezone().strftime("%d %b %Y, %H:%M:%S")


def _size(count: int) -> str:
    return f"{count} B" if count < _KILOBYTE else f"{count / _KILOBYTE:.1f} kB"


def _display_name(address: str) -> str:
    name, bare = parseaddr(address)
    return name or bare or address


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cli.inbox"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"moment": _moment, "size": _size, "display_name": _display_name}
    return environment


_TEMPLATES = _environment()
