"""The outbox: what must reach Temporal. Written in the transaction of the effects, emptied by the relay."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from kit.database import Base


class OutboxKind(StrEnum):
    """What is to be done in Temporal."""

    START = "start"
    DELIVER = "deliver"


class OutboxEntry(Base):
    """One start or signal. Entries of one enrollment leave in the order of `id`: a start precedes its signals."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_enrollment_id_id", "enrollment_id", "id"),
        Index("ix_outbox_retry_at", "retry_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    enrollment_id: Mapped[UUID] = mapped_column(ForeignKey("enrollments.id", ondelete="CASCADE"))
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    """JSON of `workflows.messages.Delivery`; empty for a start, which is read from the enrollment."""
    attempts: Mapped[int] = mapped_column(server_default="0")
    retry_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
