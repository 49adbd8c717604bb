"""What an experiment has found. Who is in which arm is drawn, not stored; which arm was gone is in the decisions."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from kit.database import Base


class ExperimentRecord(Base):
    """An experiment that seeks a winner: when it was last looked at, and how it was decided."""

    __tablename__ = "experiments"

    journey_key: Mapped[str] = mapped_column(ForeignKey("journeys.key"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    looked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    after: Mapped[int | None]
    """Contacts per arm that were compared."""
    winner: Mapped[str | None]
    """None where no difference could be shown."""
    because: Mapped[str | None]
