"""Enrollments and their decisions: the projection of what runs in Temporal, which is the truth for where they stand."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Identity, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from kit.database import Base


class Enrollment(Base):
    """One passage of one contact through one version of a journey. At most one per entry key runs at a time."""

    __tablename__ = "enrollments"
    __table_args__ = (
        ForeignKeyConstraint(
            ["journey_key", "version"],
            ["journey_versions.journey_key", "journey_versions.version"],
            name="fk_enrollments_journey_key_version_journey_versions",
        ),
        Index(
            "uq_enrollments_running",
            "journey_key",
            "contact_id",
            "entry_key",
            unique=True,
            postgresql_where=text("ended_at IS NULL AND tested_draft IS NULL"),
        ),
        Index(
            "ix_enrollments_test_runs",
            "contact_id",
            "journey_key",
            postgresql_where=text("tested_draft IS NOT NULL"),
        ),
        Index("ix_enrollments_journey_key_version_state_step", "journey_key", "version", "state", "step"),
        Index("ix_enrollments_contact_id_journey_key", "contact_id", "journey_key"),
        Index("ix_enrollments_inside", "journey_key", "version", "id", postgresql_where=text("ended_at IS NULL")),
        # What is stuck is found along these two: who should have gone on already, and who does not wait for a time.
        Index(
            "ix_enrollments_due",
            "due_at",
            "id",
            postgresql_where=text("ended_at IS NULL AND state = 'waiting'"),
        ),
        Index(
            "ix_enrollments_moving",
            "since",
            "id",
            postgresql_where=text("ended_at IS NULL AND state IN ('starting', 'running', 'needs_attention')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    journey_key: Mapped[str]
    version: Mapped[int]
    entered_version: Mapped[int] = mapped_column(default=lambda context: context.get_current_parameters()["version"])
    """The version it began in."""
    tested_draft: Mapped[int | None]
    """Of a test run: the version that the draft it tries would become. Test runs are in no count and no comparison."""
    moving_to: Mapped[int | None]
    """The version it has been ordered to and not yet arrived in; events are matched with both."""
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))
    entry_key: Mapped[str] = mapped_column(server_default="")
    """Value of the property that `again: {per: …}` names; empty otherwise."""
    workflow_id: Mapped[str] = mapped_column(index=True)
    paused_with: Mapped[int | None] = mapped_column(BigInteger)
    """The order by which it was frozen with its whole journey; kept until it has been told to go on with it."""
    state: Mapped[str]
    step: Mapped[str | None]
    since: Mapped[datetime]
    due_at: Mapped[datetime | None]
    attention: Mapped[str | None]
    outcome: Mapped[str] = mapped_column(server_default="")
    entry_event_id: Mapped[str | None]
    entry_properties: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    entered_at: Mapped[datetime]
    """When its entry occurred; what counts as 'since entry' counts from here."""
    entry_sequence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Place of its entry in the event log: of the entry event, or of the newest event when it came without one."""
    holdout: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether it passes through without the journey's messages, for comparison; drawn at entry."""
    control_group: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether its contact was among those at entry who get no marketing message at all."""
    passed_over: Mapped[str | None]
    """What `again` said against it, where it was let in by hand all the same."""
    goal_until: Mapped[datetime | None]
    """End of the time in which the goal counts, also after its own end; None: as long as it runs."""
    goal_met_at: Mapped[datetime | None]
    """When the event occurred that met the goal, whatever else became of it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]

    @property
    def is_test(self) -> bool:
        """Whether it is a test user's way through a draft."""
        return self.tested_draft is not None

    @property
    def told_version(self) -> int:
        """The version as people are told: of a test run, the one its draft would become."""
        return self.version if self.tested_draft is None else self.tested_draft


class DecisionRecord(Base):
    """One departure from a step, append-only: verdict, why, which event caused it, and what follows."""

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("enrollment_id", "ordinal"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    enrollment_id: Mapped[UUID] = mapped_column(ForeignKey("enrollments.id", ondelete="CASCADE"))
    ordinal: Mapped[int]
    step: Mapped[str]
    verdict: Mapped[str]
    result: Mapped[str]
    because: Mapped[str]
    cause_event_id: Mapped[str | None]
    entered_at: Mapped[datetime]
    at: Mapped[datetime]
    next_step: Mapped[str | None]
    version: Mapped[int]
    """The version of the journey that `step` belongs to."""
    to_version: Mapped[int | None]
    """Of a migration: the version that `next_step` belongs to."""
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
