"""What happened to contacts: the append-only log, the receipts that make it idempotent, and the queue to intake.

`events` is partitioned by month of receipt, so uniqueness of `event_id` is kept in `event_receipts`.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from kit.database import Base


class Event(Base):
    """One thing that happened to a contact. `occurred_at` is the producer's word, `received_at` ours."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_contact_id_name_occurred_at", "contact_id", "name", "occurred_at"),
        Index("ix_events_event_id", "event_id"),
        {"postgresql_partition_by": "RANGE (received_at)"},
    )

    sequence: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(primary_key=True, server_default=func.now())
    event_id: Mapped[str]
    contact_id: Mapped[UUID]
    name: Mapped[str]
    properties: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    occurred_at: Mapped[datetime]
    source: Mapped[str]
    """`api`, `segment`, or `derived` for events that follow from others."""


class EventReceipt(Base):
    """An event id that was accepted. A second event with the same id changes nothing."""

    __tablename__ = "event_receipts"

    event_id: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class QueuedEvent(Base):
    """An accepted event whose effects intake has yet to apply; deleted in the transaction that applies them."""

    __tablename__ = "intake_queue"
    __table_args__ = (Index("ix_intake_queue_contact_id_sequence", "contact_id", "sequence"),)

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    received_at: Mapped[datetime]
    contact_id: Mapped[UUID]
