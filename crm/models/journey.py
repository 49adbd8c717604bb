"""Published journeys: the name, its versions, and which one takes new contacts."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from kit.database import Base


class VersionState(StrEnum):
    """Life of a version: one draft at a time; publishing it turns the live one to finishing."""

    DRAFT = "draft"
    LIVE = "live"
    FINISHING = "finishing"
    STOPPED = "stopped"


class JourneyRecord(Base):
    """A journey's name in the world."""

    __tablename__ = "journeys"

    key: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class JourneyVersion(Base):
    """One version. Once published, definition and plan never change; a draft may be replaced."""

    __tablename__ = "journey_versions"
    __table_args__ = (
        Index("uq_journey_versions_draft", "journey_key", unique=True, postgresql_where=text("state = 'draft'")),
        Index("uq_journey_versions_live", "journey_key", unique=True, postgresql_where=text("state = 'live'")),
        Index("ix_journey_versions_entry_event", "entry_event", postgresql_where=text("state = 'live'")),
    )

    journey_key: Mapped[str] = mapped_column(ForeignKey("journeys.key"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    definition: Mapped[dict[str, Any]]
    plan: Mapped[dict[str, Any]]
    """Compact JSON of `journeys.plan.Plan`."""
    entry_event: Mapped[str | None]
    listens: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Names of the events enrollments of this version must be told of."""
    clock_events: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    """Names of the events that set clocks of its entry; `*` for any."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    published_at: Mapped[datetime | None]
