"""The history of a contact's lifecycle stage. The present stage is a column of the contact."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from kit.database import Base


class StageChange(Base):
    """One change of a contact's stage, append-only: from where to where, because of what, why, by whom, when."""

    __tablename__ = "stage_changes"
    __table_args__ = (Index("ix_stage_changes_contact_id_id", "contact_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))
    from_stage: Mapped[str]
    to_stage: Mapped[str]
    event_id: Mapped[str]
    """The `stage.changed` that told of it."""
    enrollment_id: Mapped[UUID | None]
    """The enrollment whose step moved it; None where a person did."""
    cause_event_id: Mapped[str | None]
    """The event that enrollment began with."""
    reason: Mapped[str]
    actor: Mapped[str]
    """`key:…` of whoever asked for it, or `journey:…`."""
    at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
