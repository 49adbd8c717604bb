"""Tables of intake: the outbox (what must reach Temporal), refused entries, events set aside, what is stuck."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.database import Base


class OutboxKind(StrEnum):
    """What is to be done in Temporal."""

    START = "start"
    DELIVER = "deliver"
    MOVE = "move"
    STEER = "steer"


class OutboxEntry(Base):
    """One start, signal, move or order.

    Entries of one enrollment leave in the order of `id`: a start precedes its signals.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_enrollment_id_id", "enrollment_id", "id"),
        Index("ix_outbox_retry_at", "retry_at"),
        Index("ix_outbox_failing", "created_at", "enrollment_id", postgresql_where=text("attempts > 0")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    enrollment_id: Mapped[UUID] = mapped_column(ForeignKey("enrollments.id", ondelete="CASCADE"))
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    """JSON of `Delivery`, `MoveOrder` or `SteeringOrder`; empty for a start: its enrollment tells."""
    attempts: Mapped[int] = mapped_column(server_default="0")
    retry_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class EntryRefusal(Base):
    """One entry that was refused: the answer to "why did this contact not enter?". Only `settled_at` ever changes."""

    __tablename__ = "entry_refusals"
    __table_args__ = (
        Index("ix_entry_refusals_contact_id_at", "contact_id", "at"),
        Index("ix_entry_refusals_journey_key_at", "journey_key", "at"),
        Index(
            "ix_entry_refusals_retry",
            "contact_id",
            "retry_until",
            postgresql_where=text("retry_until IS NOT NULL AND settled_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    journey_key: Mapped[str]
    version: Mapped[int]
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))
    reason: Mapped[str]
    """One of `intake.enrollment.EnrollmentRefusal`."""
    because: Mapped[str]
    cause_event_id: Mapped[str | None]
    """The event that would have been the entry; None for an entry asked for over the API."""
    at: Mapped[datetime]
    retry_until: Mapped[datetime | None]
    """Until when the audience is judged again as the contact changes; None where the refusal is final."""
    settled_at: Mapped[datetime | None]
    """When it held after all; what that came to is told by an enrollment, or by a later refusal of the same event."""


class IntakeFailure(Base):
    """An event whose effects could not be applied: kept with the reason, out of the way of those behind it."""

    __tablename__ = "intake_failures"

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    received_at: Mapped[datetime]
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    reason: Mapped[str]
    failed_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class StuckFinding(Base):
    """Something found stuck, from when it was noticed until it moves: so that it is told once, and by one process."""

    __tablename__ = "stuck_findings"
    __table_args__ = (Index("ix_stuck_findings_checked_at", "checked_at", "subject"),)

    subject: Mapped[str] = mapped_column(primary_key=True)
    """The id of the enrollment; or the kind, of what concerns the whole installation."""
    kind: Mapped[str]
    """One of `intake.stuck.StuckKind` or `intake.halts.HaltKind`."""
    enrollment_id: Mapped[UUID | None] = mapped_column(ForeignKey("enrollments.id", ondelete="CASCADE"), unique=True)
    since: Mapped[datetime]
    detail: Mapped[str] = mapped_column(server_default="")
    """What Temporal says holds it up, without personal data; empty where nothing is known."""
    noticed_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    """When Temporal was asked about it last."""
    told_at: Mapped[datetime | None]
    """When it was first in a mail."""


class StuckWatch(Base):
    """How far looking for what is stuck has come: one row for the whole installation."""

    __tablename__ = "stuck_watch"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    looked_at: Mapped[datetime]
    closed_seen_until: Mapped[datetime]
    """Up to when Temporal was asked for workflows that were ended from outside."""
    alerted_at: Mapped[datetime | None]
    """When the last mail was claimed by whoever sent it."""
