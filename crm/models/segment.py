"""Segments: who is in which, and when time alone may change that. See `crm.segments`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from kit.database import Base


class SegmentRecord(Base):
    """A segment as it is defined now."""

    __tablename__ = "segments"

    key: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    """Counts the changes of its definition."""
    definition: Mapped[dict[str, Any]]
    """The document of `journeys.segments.Segment`."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    swept_at: Mapped[datetime]
    """Contacts that were there by then have been judged."""


class SegmentMember(Base):
    """A contact in a segment, since when, and after what it came in: without personal data."""

    __tablename__ = "segment_members"

    segment_key: Mapped[str] = mapped_column(ForeignKey("segments.key", ondelete="CASCADE"), primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    since: Mapped[datetime]
    because: Mapped[str]
    cause_event_id: Mapped[str | None]


class SegmentClock(Base):
    """When to judge a contact again because time alone may take it into a segment, or out of it."""

    __tablename__ = "segment_clocks"
    __table_args__ = (Index("ix_segment_clocks_due_at", "due_at"),)

    segment_key: Mapped[str] = mapped_column(ForeignKey("segments.key", ondelete="CASCADE"), primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    due_at: Mapped[datetime]
