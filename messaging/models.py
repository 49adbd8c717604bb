"""Templates, the message ledger and suppressions. The transitions of a message are in `messaging.ledger`."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from kit.database import Base


class MessageClass(StrEnum):
    """Decides which rules of the gate apply, and what happens to an uncertain send. Belongs to the template."""

    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"
    SALES = "sales"


class Template(Base):
    """One version of a template in one language, compiled: MJML is gone, Liquid remains."""

    __tablename__ = "templates"

    key: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    locale: Mapped[str] = mapped_column(primary_key=True)
    message_class: Mapped[str]
    subject: Mapped[str]
    html: Mapped[str]
    text: Mapped[str | None]
    variables: Mapped[list[str]] = mapped_column(ARRAY(Text))
    required: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    """Variables it cannot be filled in without."""
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the sources: publishing the same again makes no new version."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class TemplatePin(Base):
    """Which version of a template the sends of a journey's version use."""

    __tablename__ = "template_pins"
    __table_args__ = (
        ForeignKeyConstraint(
            ["journey_key", "version"],
            ["journey_versions.journey_key", "journey_versions.version"],
            name="fk_template_pins_journey_key_version_journey_versions",
            ondelete="CASCADE",
        ),
    )

    journey_key: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    template_key: Mapped[str] = mapped_column(primary_key=True)
    template_version: Mapped[int]
    pinned_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class MessageState(StrEnum):
    """Life of a message in the ledger."""

    HANDING_OVER = "handing_over"
    HANDED_OVER = "handed_over"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


class MessageRecord(Base):
    """One message to one contact: claimed before the provider is called, so it can never be sent twice unnoticed."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("enrollment_id", "step", "iteration", "channel"),
        Index("ix_messages_contact_id_created_at", "contact_id", "created_at"),
        Index("ix_messages_contact_id_counted_at", "contact_id", "counted_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    enrollment_id: Mapped[UUID] = mapped_column(ForeignKey("enrollments.id", ondelete="CASCADE"))
    step: Mapped[str]
    iteration: Mapped[int]
    channel: Mapped[str]
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))
    template_key: Mapped[str]
    template_version: Mapped[int | None]
    locale: Mapped[str | None]
    message_class: Mapped[str | None]
    state: Mapped[str]
    refusal: Mapped[str | None]
    because: Mapped[str] = mapped_column(server_default="")
    provider: Mapped[str | None]
    provider_message_id: Mapped[str | None]
    attempt: Mapped[str | None]
    """Which attempt holds the claim; another attempt that finds it knows that the outcome is uncertain."""
    content_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    claimed_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    counted_at: Mapped[datetime | None]
    """When it was sent as the frequency cap counts: the workflow's time, or the wall clock's where that was later.

    None of what a test user is sent in a draft.
    """


class WaitingMessage(Base):
    """A place in a contact's line at the frequency cap. Void once the enrollment is no longer at the step.

    What is void, as in `HeldMessage` and `PromisedTurn`, is removed by `messaging.leftovers`.
    """

    __tablename__ = "waiting_messages"

    enrollment_id: Mapped[UUID] = mapped_column(ForeignKey("enrollments.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    iteration: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    priority: Mapped[str]
    since: Mapped[datetime]
    """When it first found the cap full."""
    last: Mapped[datetime]
    """It does not wait beyond this."""
    until: Mapped[datetime]
    """When its turn is to come, as far as is known."""
    unsent: Mapped[bool]
    """Of a contact that is held out for comparison: nobody waits for it."""


HELD_BACK = "held_back"
"""The state of a message that is not in the ledger yet, since its gate has it wait."""


class HeldMessage(Base):
    """A message that its gate has wait: until when and why, for whoever asks. The workflow waits, nothing here does.

    Void once the enrollment is no longer at the step.
    """

    __tablename__ = "held_messages"

    enrollment_id: Mapped[UUID] = mapped_column(ForeignKey("enrollments.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    iteration: Mapped[int]
    id: Mapped[UUID] = mapped_column(server_default=text("uuidv7()"))
    """Its place among the contact's messages."""
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    template_key: Mapped[str]
    until: Mapped[datetime]
    because: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ProviderLine(Base):
    """How the line before a provider stands, see `messaging.pace`."""

    __tablename__ = "provider_lines"

    provider: Mapped[str] = mapped_column(primary_key=True)
    promised: Mapped[datetime]
    """The first instant that is nobody's turn yet."""
    free: Mapped[datetime]
    """When the provider has room, as far as what has left so far takes it."""


class PromisedTurn(Base):
    """When a message may come back to a provider that is kept busy. Void once its enrollment has left the step."""

    __tablename__ = "promised_turns"

    enrollment_id: Mapped[UUID] = mapped_column(ForeignKey("enrollments.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    iteration: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str]
    turn: Mapped[datetime]


class Suppression(Base):
    """An address nothing may be sent to. Kept as a keyed digest, so that it outlives the contact's erasure."""

    __tablename__ = "suppressions"
    __table_args__ = (Index("ix_suppressions_created_at", "created_at"),)

    channel: Mapped[str] = mapped_column(primary_key=True)
    address_digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    reason: Mapped[str]
    source: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
