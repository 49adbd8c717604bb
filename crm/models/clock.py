"""Clocks of entries that no event brings about, and the rounds over all contacts that set them. See `crm.clocks`."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from kit.database import Base


class EntryClock(Base):
    """When a contact may enter a journey because of the time. One that has rung stays, without `due_at`."""

    __tablename__ = "entry_clocks"
    __table_args__ = (Index("ix_entry_clocks_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),)

    # No foreign key: what follows from a publication is done later, page by page, and intake must not wait for it.
    journey_key: Mapped[str] = mapped_column(primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    fingerprint: Mapped[str]
    """Of the entry the clock was set for; one of another entry is void."""
    anchor_at: Mapped[datetime]
    """From when on time counts."""
    due_at: Mapped[datetime | None]
    """When to look; at the latest when it has come true. None: it has rung, and nothing has begun it again."""
    cause_event_id: Mapped[str | None]
    """The event that set it last."""
    rung_at: Mapped[datetime | None]


class RoundKind(StrEnum):
    """What is done to each contact on a round."""

    CLEAR = "clear"
    """Remove clocks that were set for another entry than the live one."""
    RETIME = "retime"
    """Move clocks: the journey names another time now."""
    ARM = "arm"
    """Set clocks for contacts there are already, or the instants of a broadcast; or let members of a segment in."""
    BROADCAST = "broadcast"
    """Let everybody in whom the audience holds for."""


class EntryRound(Base):
    """A walk through the contacts on behalf of a journey's entry, page by page: where it is, and what it has done."""

    __tablename__ = "entry_rounds"
    __table_args__ = (
        Index("ix_entry_rounds_due_at", "due_at", postgresql_where=text("finished_at IS NULL")),
        Index("ix_entry_rounds_journey_key_id", "journey_key", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    journey_key: Mapped[str]
    kind: Mapped[str]
    due_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    """When it may begin."""
    zones: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """IANA zones of the contacts it is for; None: all."""
    cursor: Mapped[UUID | None]
    """The contact it has come to."""
    contacts: Mapped[int] = mapped_column(server_default="0")
    """How many it has looked at."""
    done: Mapped[int] = mapped_column(server_default="0")
    """For how many of them something was done."""
    begun_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    outcome: Mapped[str] = mapped_column(server_default="")
    """How it ended: `done`, or why it was not."""
