"""What operators order for many enrollments of a journey at once, and how far each order has come."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.database import Base


class Steer(StrEnum):
    """What is done to each enrollment. The first three are of a whole journey, the others of those at a step."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    RELEASE = "release"
    """The running wait ends now."""
    SKIP = "skip"
    EXIT = "exit"
    RETRY = "retry"
    """The failed step is taken up again."""


class Steering(Base):
    """One order. Every enrollment it finds ends in one of `carried`, `refused` and `gone`."""

    __tablename__ = "steerings"
    __table_args__ = (
        Index("ix_steerings_journey_key_id", "journey_key", "id"),
        Index("ix_steerings_open", "id", postgresql_where=text("ordered_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    journey_key: Mapped[str] = mapped_column(ForeignKey("journeys.key"))
    action: Mapped[str]
    step: Mapped[str | None]
    """Only those who stand at it; None: everybody inside."""
    due_before: Mapped[datetime | None]
    """Only those whose wait would have ended before this."""
    condition: Mapped[dict[str, Any] | None]
    """Only those whose contacts it holds for."""
    parked: Mapped[bool] = mapped_column(server_default=text("false"))
    """Only those who need attention."""
    attention: Mapped[str | None]
    """Only those who need attention for a reason in which this occurs."""
    most: Mapped[int | None]
    """Only so many, those who entered first."""
    timers: Mapped[str | None]
    """Of `resume`: one of `journeys.resuming.Resuming`."""
    by: Mapped[str]
    reason: Mapped[str]
    cursor: Mapped[UUID | None]
    """The enrollment it has come to in ordering."""
    ordered: Mapped[int] = mapped_column(server_default="0")
    """Enrollments found so far."""
    carried: Mapped[int] = mapped_column(server_default="0")
    refused: Mapped[int] = mapped_column(server_default="0")
    """Had gone on by themselves, or were in a state that does not allow it."""
    gone: Mapped[int] = mapped_column(server_default="0")
    """Had ended by themselves."""
    last_refusal: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    ordered_at: Mapped[datetime | None]
    """When the last of them was ordered."""
