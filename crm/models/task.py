"""Tasks: what a person is to do for a contact."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.database import Base


class Task(Base):
    """One task. Those of journeys are one per enrollment, step and iteration."""

    __tablename__ = "tasks"
    __table_args__ = (
        UniqueConstraint("enrollment_id", "step", "iteration"),
        Index("ix_tasks_contact_id_id", "contact_id", "id"),
        Index("ix_tasks_owner_state_id", "owner", "state", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))
    enrollment_id: Mapped[UUID] = mapped_column(ForeignKey("enrollments.id", ondelete="CASCADE"))
    journey_key: Mapped[str]
    step: Mapped[str]
    iteration: Mapped[int]
    kind: Mapped[str]
    title: Mapped[str]
    details: Mapped[str]
    owner: Mapped[str]
    """A team or role."""
    due_at: Mapped[datetime]
    cancel_at_end: Mapped[bool]
    """Whether it is cancelled, where it is still open, when its enrollment ends."""
    state: Mapped[str]
    outcome: Mapped[str] = mapped_column(server_default="")
    """What came of it, in a word of whoever did it; of a cancelled task, why."""
    done_by: Mapped[str | None]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
