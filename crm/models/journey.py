"""Published journeys: the name, its versions, which of them take new contacts, and moves between them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from kit.database import Base


class VersionState(StrEnum):
    """Life of a version: one draft at a time; publishing it turns the live one to finishing, or stopped.

    `TEST` is none of these lives: a draft as it was when test users were put into it, see `crm.tryouts`.
    """

    DRAFT = "draft"
    LIVE = "live"
    FINISHING = "finishing"
    STOPPED = "stopped"
    TEST = "test"


class JourneyRecord(Base):
    """A journey's name in the world."""

    __tablename__ = "journeys"

    key: Mapped[str] = mapped_column(primary_key=True)
    paused_at: Mapped[datetime | None]
    """Since when it takes nobody in, and those inside are frozen."""
    paused_with: Mapped[int | None] = mapped_column(BigInteger)
    """The order that paused it, in `steerings`."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class JourneyVersion(Base):
    """One version. Once published, definition and plan never change; a draft may be replaced."""

    __tablename__ = "journey_versions"
    __table_args__ = (
        Index("uq_journey_versions_draft", "journey_key", unique=True, postgresql_where=text("state = 'draft'")),
        Index(
            "uq_journey_versions_live",
            "journey_key",
            text("(share IS NULL)"),
            unique=True,
            postgresql_where=text("state = 'live'"),
        ),
        Index("ix_journey_versions_entry_event", "entry_event", postgresql_where=text("state = 'live'")),
    )

    journey_key: Mapped[str] = mapped_column(ForeignKey("journeys.key"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    """From 1 on; of a draft kept for test users a number below 0, so that nothing that counts versions meets it."""
    state: Mapped[str]
    definition: Mapped[dict[str, Any]]
    plan: Mapped[dict[str, Any]]
    """Compact JSON of `journeys.plan.Plan`."""
    entry_event: Mapped[str | None]
    listens: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Names of the events enrollments of this version must be told of."""
    clock_events: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    """Names of the events that set clocks of its entry; `*` for any."""
    won_consents: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """Step → consents that every way to it has established, as [purpose, channel]."""
    needed_consents: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """Step → consents that all messages ahead of it need, where each needs one; known once it is published."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    published_at: Mapped[datetime | None]
    share: Mapped[int | None]
    """Of a live version on trial: the percent of new contacts it takes, 1 to 99. The other live version has none."""
    replaces: Mapped[int | None]
    """The version that took new contacts when this one was published; a rollback goes back to it."""


class VersionMove(Base):
    """Moving those inside a version of a journey to another one, or out: an order, and how far it has come."""

    __tablename__ = "version_moves"
    __table_args__ = (
        ForeignKeyConstraint(
            ["journey_key", "from_version"],
            ["journey_versions.journey_key", "journey_versions.version"],
            name="fk_version_moves_from_version",
        ),
        ForeignKeyConstraint(
            ["journey_key", "to_version"],
            ["journey_versions.journey_key", "journey_versions.version"],
            name="fk_version_moves_to_version",
        ),
        Index("ix_version_moves_journey_key_id", "journey_key", "id"),
        Index("ix_version_moves_open", "id", postgresql_where=text("ordered_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    journey_key: Mapped[str]
    from_version: Mapped[int]
    to_version: Mapped[int]
    inside: Mapped[str]
    """`migrate` or `stop`, of `journeys.migration.Inside`."""
    mapping: Mapped[dict[str, Any]]
    timers: Mapped[str]
    cursor: Mapped[UUID | None]
    """The enrollment it has come to in ordering."""
    ordered: Mapped[int] = mapped_column(server_default="0")
    """Enrollments ordered so far; each ends in one of the three numbers below."""
    moved: Mapped[int] = mapped_column(server_default="0")
    refused: Mapped[int] = mapped_column(server_default="0")
    """Stand at a step without a target by now, and finish in their version."""
    gone: Mapped[int] = mapped_column(server_default="0")
    """Had ended by themselves."""
    last_refusal: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ordered_at: Mapped[datetime | None]
    """When the last of them was ordered."""
