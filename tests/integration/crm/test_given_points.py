"""Points that journeys give: counted at once, kept by every recount, and told once."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import EventRepository
from crm.models.event import Event, QueuedEvent
from crm.models.score import Score, ScoreEntry
from crm.scoring import ScoringRepository
from journeys.scoring import SCORE_GIVEN, PointsModel
from kit.database import Sessions
from kit.errors import NotFound
from tests.support.builders import SOME_DAY, a_contact, an_event

LEAD: dict[str, Any] = {
    "key": "lead",
    "name": "Lead",
    "rules": [{"key": "order", "event": "order.placed", "points": 7, "limit": {"times": 2, "within": "3d"}}],
    "thresholds": [{"key": "warm", "points": 10}, {"key": "hot", "points": 25}],
}

acts = st.lists(
    st.one_of(
        st.tuples(st.just("give"), st.sampled_from([-8, 5, 12])),
        st.tuples(st.just("order"), st.integers(-3, 0)),
        st.tuples(st.just("recompute"), st.just(0)),
        st.tuples(st.just("publish"), st.integers(1, 3)),
        st.tuples(st.just("intake"), st.just(0)),
    ),
    max_size=10,
)


class Telling:
    """One contact's points, as activities and intake move them."""

    def __init__(self, session: AsyncSession, contact_id: Any) -> None:
        self.session, self.contact_id = session, contact_id
        self.scoring = ScoringRepository(session)
        self.number = 0
        self.given = 0

    async def act(self, what: str, value: int) -> None:
        self.number += 1
        at = SOME_DAY + timedelta(days=self.number)
        match what:
            case "give":
                event_id, self.given = f"given-{self.number}", self.given + value
                properties = {"model": "lead", "points": value}
                await an_event(
                    self.session,
                    self.contact_id,
                    SCORE_GIVEN,
                    event_id=event_id,
                    occurred_at=at,
                    properties=properties,
                    queued=True,
                )
                change = await self.scoring.give(self.contact_id, "lead", event_id)
                await EventRepository(self.session).accept(change.crossed)
            case "order":
                late = at + timedelta(days=value)
                await an_event(self.session, self.contact_id, occurred_at=late, queued=True)
            case "publish":
                thresholds = LEAD["thresholds"][: value - 1]
                await self.scoring.publish(PointsModel.model_validate({**LEAD, "thresholds": thresholds}))
            case "recompute":
                change = await self.scoring.recompute(self.contact_id, "lead", at)
                await EventRepository(self.session).accept(change.crossed)
            case _:
                await self.intake()

    async def intake(self) -> None:
        """All that waits has its turn."""
        query = select(Event).join(QueuedEvent, QueuedEvent.sequence == Event.sequence).order_by(Event.sequence)
        waiting = list(await self.session.scalars(query))
        crossings = await self.scoring.apply(self.contact_id, waiting)
        await self.session.execute(delete(QueuedEvent))
        await EventRepository(self.session).accept(crossings)

    async def entries(self) -> dict[str, int]:
        query = select(ScoreEntry.rule_key, func.sum(ScoreEntry.points)).where(ScoreEntry.model_key == "lead")
        rows = await self.session.execute(query.group_by(ScoreEntry.rule_key))
        return {rule: int(points) for rule, points in rows}

    async def points(self) -> int:
        return await self.session.scalar(select(Score.points).where(Score.model_key == "lead")) or 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts)
async def test_whatever_is_counted_again_the_score_is_the_sum_and_holds_all_that_was_given(
    sessions: Sessions, told: list[tuple[str, int]]
) -> None:
    async with sessions() as session:
        contact = await a_contact(session)
        telling = Telling(session, contact.id)
        await telling.scoring.publish(PointsModel.model_validate(LEAD))
        for what, value in told:
            await telling.act(what, value)
            entries = await telling.entries()
            assert await telling.points() == sum(entries.values())
            assert entries.get(SCORE_GIVEN, 0) == telling.given
        await session.rollback()


async def test_a_rise_is_told_once_though_the_event_has_its_turn_later(session: AsyncSession) -> None:
    contact = await a_contact(session)
    telling = Telling(session, contact.id)
    await telling.scoring.publish(PointsModel.model_validate(LEAD))

    await telling.act("give", 12)
    assert await telling.points() == 12
    await telling.intake()
    await telling.intake()

    crossings = await EventRepository(session).history(contact.id, names=["score.crossed"])
    assert [event.properties["threshold"] for event in crossings] == ["warm"]


async def test_points_under_another_model_or_of_no_event_are_none(session: AsyncSession) -> None:
    contact = await a_contact(session)
    scoring = ScoringRepository(session)
    await scoring.publish(PointsModel.model_validate(LEAD))
    with pytest.raises(NotFound, match="No points model other is live"):
        await scoring.give(contact.id, "other", "e-1")
    with pytest.raises(NotFound, match="There is no event"):
        await scoring.give(contact.id, "lead", "e-1")
    event = await an_event(session, contact.id, SCORE_GIVEN, properties={"model": "other", "points": 5})
    assert await scoring.apply(contact.id, [event]) == []
    assert await session.scalar(select(func.count()).select_from(Score)) == 0


async def test_the_reason_is_shown_beside_the_points(session: AsyncSession) -> None:
    contact = await a_contact(session)
    scoring = ScoringRepository(session)
    await scoring.publish(PointsModel.model_validate(LEAD))
    properties = {"model": "lead", "points": 5, "reason": "Came to the evening."}
    event = await an_event(session, contact.id, SCORE_GIVEN, properties=properties)
    await scoring.apply(contact.id, [event, await an_event(session, contact.id)])

    (explained,) = await scoring.explain(contact.id)
    assert sorted((one.rule_key, one.points, one.reason) for one in explained.entries) == [
        ("order", 7, ""),
        (SCORE_GIVEN, 5, "Came to the evening."),
    ]
