"""What contacts agreed to: append-only; the newest record of a purpose and channel is what stands."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from kit.database import Base


class Consent(Base):
    """One declaration of a contact: granted or withdrawn, with where it came from and the wording agreed to."""

    __tablename__ = "consents"
    __table_args__ = (
        CheckConstraint("state IN ('granted', 'withdrawn')", name="state"),
        Index("ix_consents_contact_id_purpose_channel_id", "contact_id", "purpose", "channel", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))
    purpose: Mapped[str]
    channel: Mapped[str]
    state: Mapped[str]
    source: Mapped[str]
    wording: Mapped[str | None]
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
