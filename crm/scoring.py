"""Scores: which points models are live, what a contact's events give under them, and why.

One contact's score under one model is in `crm.score_sheets`; which points a rule gives is pure, in `journeys.scoring`.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy import Text, cast, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import NewEvent
from crm.models.contact import Contact
from crm.models.event import Event
from crm.models.score import Score, ScoreModel
from crm.score_sheets import LiveModel, ScoreSheet, entries_of
from journeys.scoring import SCORE_GIVEN, PointsModel, Unusable
from journeys.segments import Backfill
from kit.errors import NotFound

_log = logging.getLogger(__name__)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('score_models:' || :key, 0))")


@dataclass(frozen=True)
class ScoreChange:
    """Points before and after, and a `score.crossed` event for each threshold the score rose over."""

    before: int
    after: int
    crossed: tuple[NewEvent, ...] = ()
    unusable: tuple[Unusable, ...] = ()
    """Events that a rule could not judge, with the reason."""


@dataclass(frozen=True)
class ExplainedEntry:
    """One entry of a score. Of points that a journey gave, `reason` is what it says."""

    rule_key: str
    model_version: int
    event_id: str
    points: int
    occurred_at: datetime
    reason: str


@dataclass(frozen=True)
class ScoreExplanation:
    """A contact's points under one model and the entries they are the sum of, oldest first."""

    model_key: str
    model_version: int
    points: int
    entries: tuple[ExplainedEntry, ...]


class ScoringRepository:
    """Points models, entries and sums, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def publish(self, model: PointsModel, *, backfill: Backfill = Backfill.NONE) -> int:
        """Make the model live and return its version; an unchanged definition keeps the version it has.

        Scores that stand are not touched here: `intake.recounting` counts them again under it, page by page. Journeys
        are told of whom that lifts over a threshold, or brings into a segment, only with `backfill: matching`.
        """
        await self._session.execute(_LOCK, {"key": model.key})
        definition = model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        of_key = ScoreModel.key == model.key
        live = await self._session.scalar(select(ScoreModel).where(of_key, ScoreModel.live))
        if live is not None and live.definition == definition:
            return live.version
        await self._session.execute(update(ScoreModel).where(of_key, ScoreModel.live).values(live=False))
        newest = await self._session.scalar(select(func.max(ScoreModel.version)).where(of_key))
        row = ScoreModel(key=model.key, version=(newest or 0) + 1, definition=definition, live=True)
        row.tells = backfill is Backfill.MATCHING
        self._session.add(row)
        await self._session.flush()
        return row.version

    async def live(self) -> list[LiveModel]:
        """The live models, in order of their keys."""
        # As text: parsing is remembered by it, and a version never changes.
        definition = cast(ScoreModel.definition, Text)
        rows = await self._session.execute(
            select(definition, ScoreModel.version, ScoreModel.tells).where(ScoreModel.live).order_by(ScoreModel.key)
        )
        return [LiveModel(_parsed(document), version, tells) for document, version, tells in rows]

    async def keys(self) -> frozenset[str]:
        """The keys of the live models."""
        return frozenset(await self._session.scalars(select(ScoreModel.key).where(ScoreModel.live)))

    async def apply(self, contact_id: UUID, events: Sequence[Event]) -> list[NewEvent]:
        """Store the entries the live models give for these events; returns the `score.crossed` events to accept.

        A contact without a score, or with one under an older version, has all events counted first; what that
        crosses is told only where the version tells. An event applied twice counts once. Locks the contact's row where
        a model counts one of the events.
        """
        crossings: list[NewEvent] = []
        for live in await self.live():
            counted = [event for event in events if live.model.concerns(event.name, event.properties)]
            if counted:
                crossings += (await self._apply(contact_id, live, counted)).crossed
        return crossings

    async def give(self, contact_id: UUID, model_key: str, event_id: str) -> ScoreChange:
        """Count an accepted `score.given` at once, before its turn in intake; then it has been counted.

        Raises:
            NotFound: no such model is live, or contact or event do not exist.
        """
        live = await self.demand_live(model_key)
        query = select(Event).where(Event.contact_id == contact_id, Event.event_id == event_id)
        event = await self._session.scalar(query)
        if event is None:
            raise NotFound(f"There is no event {event_id}.", remedy="Its contact may have been erased.")
        return await self._apply(contact_id, live, [event])

    async def demand_live(self, model_key: str) -> LiveModel:
        """The live version of the model.

        Raises:
            NotFound: there is none.
        """
        live = next((live for live in await self.live() if live.model.key == model_key), None)
        if live is None:
            raise NotFound(f"No points model {model_key} is live.", remedy="Publish it, or name one that is live.")
        return live

    async def recompute(self, contact_id: UUID, model_key: str, now: datetime) -> ScoreChange:
        """Compute the score again from all stored events under the live version. `crossed` events occur at `now`.

        Raises:
            NotFound: no such model is live, or the contact does not exist.
        """
        live = await self.demand_live(model_key)
        await self._lock(contact_id)
        sheet = await ScoreSheet.load(self._session, contact_id, live)
        before = sheet.points
        await sheet.count_again(at=now)
        await sheet.save()
        return ScoreChange(before, sheet.points, tuple(sheet.crossings), tuple(sheet.unusable))

    async def explain(self, contact_id: UUID) -> list[ScoreExplanation]:
        """Why the contact has the points it has, one explanation per model."""
        query = select(Score).where(Score.contact_id == contact_id).order_by(Score.model_key)
        scores = await self._session.scalars(query, execution_options={"populate_existing": True})
        return [await self._explain(score) for score in scores.all()]

    async def _apply(self, contact_id: UUID, live: LiveModel, events: Sequence[Event]) -> ScoreChange:
        await self._lock(contact_id)
        sheet = await ScoreSheet.load(self._session, contact_id, live)
        before = sheet.points
        pending = [event.event_id for event in events]
        if not sheet.is_current:
            # What a recount has counted before its turn stays counted: taken out and added again, it would rise twice.
            counted_now = set(pending) - {given.event_id for given in sheet.awards}
            await (sheet.count_again if live.tells else sheet.count_quietly)(excluding=counted_now)
        for number, event in enumerate(events, start=1):
            await sheet.add(event, pending=pending[number:])
        await sheet.save()
        for unusable in sheet.unusable:
            _log.warning("rule %s of %s cannot judge: %s", unusable.rule, live.model.key, unusable.because)
        return ScoreChange(before, sheet.points, tuple(sheet.crossings), tuple(sheet.unusable))

    async def _lock(self, contact_id: UUID) -> None:
        query = select(Contact.id).where(Contact.id == contact_id).with_for_update(key_share=True)
        if await self._session.scalar(query) is None:
            raise NotFound(f"There is no contact {contact_id}.", remedy="It may have been erased.")

    async def _explain(self, score: Score) -> ScoreExplanation:
        entries = (await self._session.scalars(entries_of(score.contact_id, score.model_key))).all()
        reasons = await self._reasons(
            score.contact_id, [one.event_id for one in entries if one.rule_key == SCORE_GIVEN]
        )
        explained = tuple(
            ExplainedEntry(
                one.rule_key,
                one.model_version,
                one.event_id,
                one.points,
                one.occurred_at,
                reasons.get(one.event_id, ""),
            )
            for one in entries
        )
        return ScoreExplanation(score.model_key, score.model_version, score.points, explained)

    async def _reasons(self, contact_id: UUID, event_ids: Sequence[str]) -> dict[str, str]:
        if not event_ids:
            return {}
        reason = func.coalesce(Event.properties["reason"].astext, "")
        query = select(Event.event_id, reason).where(Event.contact_id == contact_id, Event.event_id.in_(event_ids))
        return dict((await self._session.execute(query)).tuples().all())


@lru_cache(maxsize=100)
def _parsed(definition: str) -> PointsModel:
    return PointsModel.model_validate_json(definition)
