"""The JSON side of the inbox, for tests and scripts: list, read and delete mails, and the health of the process."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Self

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import AwareDatetime, BaseModel, Field

from cli.inbox.mail import Attachment, Mail
from cli.inbox.store import Entry, MailStore

router = APIRouter(tags=["mails"])


def mail_store(request: Request) -> MailStore:
    """The store of this application."""
    store = request.app.state.store
    assert isinstance(store, MailStore)
    return store


StoreDep = Annotated[MailStore, Depends(mail_store)]


class ListedMail(BaseModel):
    """A mail in a list. `recipients` are the envelope's."""

    id: str
    received_at: AwareDatetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    size: int = Field(description="Bytes of the whole mail.")

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """The entry as JSON tells it."""
        told = entry.summary
        return cls(
            id=entry.mail_id,
            received_at=entry.received_at,
            sender=told.sender,
            recipients=told.recipients,
            subject=told.subject,
            size=entry.size,
        )


class ListedAttachment(BaseModel):
    """An attachment; its content is at `/mails/{id}/attachments/{number}`."""

    number: int
    name: str
    content_type: str
    size: int

    @classmethod
    def of(cls, attachment: Attachment) -> Self:
        """The attachment without its content."""
        return cls(
            number=attachment.number,
            name=attachment.name,
            content_type=attachment.content_type,
            size=attachment.size,
        )


class MailPage(BaseModel):
    """Some mails, newest first. `next` is the value of `before` for the next page; null on the last one."""

    mails: tuple[ListedMail, ...]
    total: int = Field(description="How many mails match, on all pages.")
    next: str | None


class WholeMail(ListedMail):
    """A mail with everything in it, decoded."""

    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    attachments: tuple[ListedAttachment, ...]


class Health(BaseModel):
    """What `GET /healthz` answers."""

    status: str = "ok"
    mails: int
    newest_at: datetime | None


class Deleted(BaseModel):
    """How many mails were deleted."""

    deleted: int


@router.get("/api/mails")
async def list_mails(
    store: StoreDep,
    q: Annotated[str, Query(description="Words in sender, recipients or subject.")] = "",
    recipient: Annotated[str, Query(description="Exactly this address of the envelope.")] = "",
    before: Annotated[str, Query(description="Only mails older than the one with this id.")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> MailPage:
    """Lists mails, newest first."""
    found = store.find(q, recipient=recipient, limit=limit, before=before)
    return MailPage(
        mails=tuple(map(ListedMail.of, found)),
        total=store.count(q, recipient=recipient),
        next=found[-1].mail_id if len(found) == limit else None,
    )


@router.get("/api/mails/{mail_id}")
async def read_mail(mail_id: str, store: StoreDep) -> WholeMail:
    """Reads one mail."""
    entry, mail = find_mail(store, mail_id)
    return WholeMail(
        **ListedMail.of(entry).model_dump(),
        headers=tuple(mail.headers),
        text=mail.text,
        html=mail.html,
        attachments=tuple(map(ListedAttachment.of, mail.attachments)),
    )


@router.post("/api/mails/delete")
async def delete_mails(store: StoreDep) -> Deleted:
    """Deletes all mails."""
    return Deleted(deleted=store.delete_all())


@router.get("/healthz")
async def health(store: StoreDep) -> Health:
    """Answers once SMTP and web page both listen."""
    newest = store.find(limit=1)
    return Health(mails=store.count(), newest_at=newest[0].received_at if newest else None)


def find_mail(store: MailStore, mail_id: str) -> tuple[Entry, Mail]:
    """One mail.

    Raises:
        HTTPException: 404, there is none with this id.
    """
    found = store.read(mail_id)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "There is no mail with this id: it may have been deleted.")
    return found
