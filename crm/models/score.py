"""Points models, the entries they gave, and the sums. A score is always the sum of its stored entries."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from kit.database import Base


class ScoreModel(Base):
    """One version of a points model. A version never changes; exactly one per key is live."""

    __tablename__ = "score_models"
    __table_args__ = (Index("uq_score_models_live", "key", unique=True, postgresql_where=text("live")),)

    key: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    definition: Mapped[dict[str, Any]]
    live: Mapped[bool]
    tells: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether journeys are told of what follows from counting everybody's score again under it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    recounted_to: Mapped[UUID | None]
    """The contact up to whom scores have been counted under it."""
    recounted_at: Mapped[datetime | None]
    """When that was done for everybody; None: it is under way, or the version is no longer live."""


class ScoreEntry(Base):
    """Points one rule gave for one event: a reason of a score."""

    __tablename__ = "score_entries"
    __table_args__ = (
        UniqueConstraint("contact_id", "model_key", "rule_key", "event_id"),
        Index("ix_score_entries_contact_id_model_key_occurred_at", "contact_id", "model_key", "occurred_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))
    model_key: Mapped[str]
    model_version: Mapped[int]
    rule_key: Mapped[str]
    event_id: Mapped[str]
    points: Mapped[int]
    occurred_at: Mapped[datetime]


class Score(Base):
    """A contact's points under the live version of a model: the sum of its entries, kept beside them for reading."""

    __tablename__ = "scores"

    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True)
    model_key: Mapped[str] = mapped_column(primary_key=True)
    model_version: Mapped[int]
    points: Mapped[int]
    reached: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    """Thresholds it has risen to and not fallen back from; matters where one says `again_below`."""
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
