"""Scores: the stored entries that points models give for events, their sums, and the thresholds they cross.

Which points a model gives for which event is pure and in `journeys.scoring`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import NewEvent
from crm.models.event import Event
from crm.models.score import ScoreEntry

if TYPE_CHECKING:
    from journeys.scoring import PointsModel


@dataclass(frozen=True)
class ScoreChange:
    """Points before and after, and a `score.crossed` event for each threshold the score rose over."""

    before: int
    after: int
    crossed: tuple[NewEvent, ...] = ()


@dataclass(frozen=True)
class ScoreExplanation:
    """A contact's points under one model and the entries they are the sum of, oldest first."""

    model_key: str
    model_version: int
    points: int
    entries: tuple[ScoreEntry, ...]


class ScoringRepository:
    """Points models, entries and sums, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def publish(self, model: PointsModel) -> int:
        """Make the model live and return its version; an unchanged definition keeps the version it has."""
        raise NotImplementedError

    async def apply(self, contact_id: UUID, events: Sequence[Event]) -> list[NewEvent]:
        """Store the entries the live models give for these events; returns the `score.crossed` events to accept.

        A contact whose score still stands under an older version of a model is recomputed under the live one first.
        An event applied twice counts once. Locks the contact's row where anything is written.
        """
        raise NotImplementedError

    async def recompute(self, contact_id: UUID, model_key: str, now: datetime) -> ScoreChange:
        """Compute the score again from all stored events under the live version. `crossed` events occur at `now`.

        Raises:
            NotFound: no such model is live, or the contact does not exist.
        """
        raise NotImplementedError

    async def explain(self, contact_id: UUID) -> list[ScoreExplanation]:
        """Why the contact has the points it has, one explanation per model."""
        raise NotImplementedError
