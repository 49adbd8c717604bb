"""The score of one contact under one points model: read, changed, and written back with its reasons.

Which models are live and when they are asked is in `crm.scoring`; which points a rule gives, in `journeys.scoring`.
"""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, delete, exists, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import DERIVED, NewEvent
from crm.models.event import Event, QueuedEvent
from crm.models.score import Score, ScoreEntry
from journeys.conditions.base import EventFact
from journeys.scoring import SCORE_GIVEN, Award, PointsModel, Unusable, award, crossed, fold, reached

SCORE_CROSSED = "score.crossed"
_LONGEST_CAUSE = 200

# The sum is made where the entries are, so that the two cannot differ.
_WRITE_SUM = text("""
    INSERT INTO scores (contact_id, model_key, model_version, points, reached)
    SELECT :contact, :model, :version, coalesce(sum(points), 0), :reached FROM score_entries
    WHERE contact_id = :contact AND model_key = :model
    ON CONFLICT (contact_id, model_key) DO UPDATE
    SET model_version = EXCLUDED.model_version, points = EXCLUDED.points,
        reached = EXCLUDED.reached, updated_at = now()
""")


class LiveModel(NamedTuple):
    """A points model with the version that is live."""

    model: PointsModel
    version: int
    tells: bool = False
    """Whether a rise that only the new version brings about is told."""


@dataclass
class ScoreSheet:
    """A contact's score under a live model. Changes gather here, `save` writes them. Needs the contact's row locked."""

    session: AsyncSession
    contact_id: UUID
    live: LiveModel
    version: int | None = None
    """The version the stored score stands under; None where there is none."""
    points: int = 0
    reached: frozenset[str] = frozenset()
    """Thresholds the score has risen to and not fallen back from; no recount forgets them."""
    awards: list[Award] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)
    crossings: list[NewEvent] = field(default_factory=list)
    _added: list[Award] = field(default_factory=list)
    _replaced: bool = False
    _stored: bool = False

    @classmethod
    async def load(cls, session: AsyncSession, contact_id: UUID, live: LiveModel) -> "ScoreSheet":
        """The sheet as stored; empty where the contact has no score under the model."""
        sheet = cls(session, contact_id, live)
        score = await session.get(Score, (contact_id, live.model.key), populate_existing=True)
        if score is not None:
            sheet.version, sheet.points, sheet._stored = score.model_version, score.points, True
            sheet.reached = frozenset(score.reached)
            sheet.awards = [_award(entry) for entry in await session.scalars(entries_of(contact_id, live.model.key))]
        return sheet

    @property
    def is_current(self) -> bool:
        """Whether the stored score stands under the live version."""
        return self.version == self.live.version

    async def add(self, event: Event, *, pending: Collection[str] = ()) -> None:
        """Count one event. `pending` are the ids of events whose turn comes later."""
        if any(given.event_id == event.event_id for given in self.awards):
            return
        if self._comes_late(event):
            await self.count_again(excluding=pending, up_to=event.sequence, at=event.occurred_at)
            return
        given, unusable = award(self.live.model, event_fact(event), self.awards)
        self.unusable += unusable
        self._added += given
        self.awards += given
        self._move(self.points + sum(one.points for one in given), at=event.occurred_at, cause=event.event_id)

    async def count_again(self, *, excluding: Collection[str] = (), up_to: int = 0, at: datetime | None = None) -> None:
        """Count all stored events again. A crossing occurs at `at`; without it, when the newest counted event did.

        Events that still wait in the queue to intake are left to their turn, but for those up to the sequence `up_to`,
        whose turn it is: counted early, they would move a crossing to another moment, or hide it.

        What it crosses is named by the awards it leads to, never by an event: one event may be the occasion of two
        recounts, before and after a new version, and each rise is told once.
        """
        points = self._fold(await self._stored_events(excluding, up_to))
        if at is None and self.awards:
            at = self.awards[-1].occurred_at
        self._move(points, at=at, cause=f"recounted-{self._digest()}")

    async def count_quietly(self, *, excluding: Collection[str]) -> None:
        """Count what is stored, but for these events, again: what a new version makes of the past is told nobody."""
        points = self._fold([one for one in await self._stored_events((), 0) if one.event_id not in excluding])
        self._move(points, at=None, cause="")

    async def save(self) -> None:
        """Write new entries and the sum. Does nothing where nothing changed."""
        model = self.live.model.key
        if self._replaced and self._stored:
            old = delete(ScoreEntry).where(ScoreEntry.contact_id == self.contact_id, ScoreEntry.model_key == model)
            await self.session.execute(old)
        if self._added:
            await self.session.execute(insert(ScoreEntry), [self._row(one) for one in self._added])
        if self._replaced or self._added:
            names = {"contact": self.contact_id, "model": model, "version": self.live.version}
            await self.session.execute(_WRITE_SUM, {**names, "reached": sorted(self.reached)})

    def _fold(self, events: Sequence[EventFact]) -> int:
        """Let the awards be what these events give under the live version; returns the sum."""
        score = fold(self.live.model, events)
        changed = sorted(map(_key, score.entries)) != sorted(map(_key, self.awards))
        if changed or not self.is_current:
            self._replaced, self._added = True, list(score.entries)
        self.awards, self.unusable = list(score.entries), list(score.unusable)
        self.version = self.live.version
        return score.points

    def _comes_late(self, event: Event) -> bool:
        """Whether a rule with a limit has counted a later event: then it matters in which order they are counted."""
        limited = {rule.key for rule in self.live.model.rules if rule.limit is not None and rule.event == event.name}
        return any(
            given.rule in limited and (given.occurred_at, given.event_id) > (event.occurred_at, event.event_id)
            for given in self.awards
        )

    def _move(self, points: int, *, at: datetime | None, cause: str) -> None:
        thresholds = self.live.model.thresholds
        risen = crossed(self.points, points, thresholds, self.reached)
        self.reached = reached(points, thresholds, reached(self.points, thresholds, self.reached))
        self.points = points
        if at is not None:
            self.crossings += [self._crossing(threshold, at, cause) for threshold in risen]

    def _crossing(self, threshold: str, at: datetime, cause: str) -> NewEvent:
        model = self.live.model.key
        # A derived event may cause the next one; its id must not grow with every link of that chain.
        short = cause if len(cause) <= _LONGEST_CAUSE else hashlib.sha256(cause.encode()).hexdigest()
        return NewEvent(
            event_id=f"{SCORE_CROSSED}:{self.contact_id}:{model}:{threshold}:{short}",
            contact_id=self.contact_id,
            name=SCORE_CROSSED,
            occurred_at=at,
            properties={"model": model, "threshold": threshold, "points": self.points},
            source=DERIVED,
        )

    def _digest(self) -> str:
        """Stands for exactly these awards, so that each rise has an id of its own and its repetition has the same."""
        awards = json.dumps([self.live.version, *sorted(map(_key, self.awards))])
        return hashlib.sha256(awards.encode()).hexdigest()[:16]

    async def _stored_events(self, excluding: Collection[str], up_to: int) -> list[EventFact]:
        # What a journey gave counts from then on, though intake has yet to tell journeys of it.
        has_had_its_turn = or_(
            Event.name == SCORE_GIVEN,
            Event.sequence <= up_to,
            ~exists().where(QueuedEvent.sequence == Event.sequence),
        )
        query = select(Event).where(
            Event.contact_id == self.contact_id, Event.name.in_(self.live.model.events), has_had_its_turn
        )
        stored = await self.session.scalars(query)
        return [event_fact(event) for event in stored if event.name == SCORE_GIVEN or event.event_id not in excluding]

    def _row(self, given: Award) -> dict[str, object]:
        return {
            "contact_id": self.contact_id,
            "model_key": self.live.model.key,
            "model_version": self.live.version,
            "rule_key": given.rule,
            "event_id": given.event_id,
            "points": given.points,
            "occurred_at": given.occurred_at,
        }


def entries_of(contact_id: UUID, model_key: str) -> Select[tuple[ScoreEntry]]:
    """The query for a contact's entries under a model, in the order they were counted in."""
    query = select(ScoreEntry).where(ScoreEntry.contact_id == contact_id, ScoreEntry.model_key == model_key)
    return query.order_by(ScoreEntry.occurred_at, ScoreEntry.event_id, ScoreEntry.id)


def event_fact(event: Event) -> EventFact:
    """A stored event as conditions and points models see it."""
    return EventFact(event.name, event.occurred_at, event.properties, event.event_id, event.sequence)


def _award(entry: ScoreEntry) -> Award:
    return Award(entry.rule_key, entry.event_id, entry.points, entry.occurred_at)


def _key(given: Award) -> tuple[str, str, int]:
    return given.rule, given.event_id, given.points
