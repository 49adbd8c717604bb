from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import EventRepository, NewEvent
from crm.models.event import Event
from crm.models.score import Score, ScoreEntry
from crm.score_sheets import event_fact
from crm.scoring import ScoringRepository
from journeys.scoring import PointsModel, fold
from journeys.segments import Backfill
from kit.database import Sessions
from kit.errors import NotFound
from tests.support.builders import SOME_DAY, a_contact, an_event

LEAD: Mapping[str, Any] = {
    "key": "lead",
    "name": "Lead",
    "rules": [
        {"key": "visit", "event": "page.viewed", "points": 5, "limit": {"times": 2, "within": "1d"}},
        {"key": "first-order", "event": "order.placed", "points": 30, "limit": "once"},
        {"key": "big-order", "event": "order.placed", "where": {"total": {"at_least": 100}}, "points": 20},
        {"key": "complaint", "event": "complaint.made", "points": -40},
    ],
    "thresholds": [{"key": "warm", "points": 10}, {"key": "hot", "points": 50}],
}


def _model(**overrides: Any) -> PointsModel:
    return PointsModel.model_validate({**LEAD, **overrides})


async def _points(session: AsyncSession, contact_id: UUID) -> int | None:
    query = select(Score.points).where(Score.contact_id == contact_id, Score.model_key == "lead")
    return (await session.scalars(query)).one_or_none()


async def _sum_of_entries(session: AsyncSession, contact_id: UUID) -> int:
    query = select(func.coalesce(func.sum(ScoreEntry.points), 0)).where(ScoreEntry.contact_id == contact_id)
    return int((await session.scalars(query)).one())


def _given(points: int) -> dict[str, Any]:
    return {"model": "lead", "points": points, "reason": "said so"}


def _told(crossings: Sequence[NewEvent]) -> list[tuple[str, int]]:
    return [(event.properties["threshold"], event.properties["points"]) for event in crossings]


class TestPublish:
    async def test_the_same_definition_keeps_its_version(self, session: AsyncSession) -> None:
        scoring = ScoringRepository(session)

        assert [await scoring.publish(_model()) for _ in range(2)] == [1, 1]

    async def test_another_definition_is_the_next_version_and_alone_live(self, session: AsyncSession) -> None:
        scoring = ScoringRepository(session)
        await scoring.publish(_model())

        assert await scoring.publish(_model(name="Other")) == 2
        assert await scoring.publish(_model()) == 3
        assert [(live.model, live.version) for live in await scoring.live()] == [(_model(), 3)]


class TestApply:
    async def test_an_event_no_rule_speaks_of_writes_nothing(self, session: AsyncSession) -> None:
        scoring, contact = ScoringRepository(session), await a_contact(session)
        await scoring.publish(_model())

        crossings = await scoring.apply(contact.id, [await an_event(session, contact.id, "other")])

        assert crossings == []
        assert await _points(session, contact.id) is None

    async def test_points_come_with_their_reasons(self, session: AsyncSession) -> None:
        scoring, contact = ScoringRepository(session), await a_contact(session)
        await scoring.publish(_model())
        event = await an_event(session, contact.id, "order.placed", event_id="o1", properties={"total": 120})

        await scoring.apply(contact.id, [event])

        (explanation,) = await scoring.explain(contact.id)
        assert (explanation.model_key, explanation.model_version, explanation.points) == ("lead", 1, 50)
        assert {(entry.rule_key, entry.event_id, entry.points) for entry in explanation.entries} == {
            ("first-order", "o1", 30),
            ("big-order", "o1", 20),
        }

    async def test_rising_over_a_threshold_is_one_event_with_its_cause_in_its_id(self, session: AsyncSession) -> None:
        scoring, contact = ScoringRepository(session), await a_contact(session)
        await scoring.publish(_model())
        event = await an_event(session, contact.id, "order.placed", event_id="o1", properties={"total": 120})

        crossings = await scoring.apply(contact.id, [event])

        assert _told(crossings) == [("warm", 50), ("hot", 50)]
        assert crossings[0].event_id == f"score.crossed:{contact.id}:lead:warm:o1"
        assert {crossing.source for crossing in crossings} == {"derived"}
        assert {crossing.occurred_at for crossing in crossings} == {event.occurred_at}

    async def test_an_event_applied_twice_counts_once(self, session: AsyncSession) -> None:
        scoring, contact = ScoringRepository(session), await a_contact(session)
        await scoring.publish(_model())
        event = await an_event(session, contact.id, "order.placed", properties={"total": 120})
        await scoring.apply(contact.id, [event])

        again = await scoring.apply(contact.id, [event])

        assert again == []
        assert await _points(session, contact.id) == 50

    async def test_each_rise_is_told_anew_after_a_fall_within_one_call_too(self, session: AsyncSession) -> None:
        scoring, contact = ScoringRepository(session), await a_contact(session)
        await scoring.publish(_model())
        names = ["order.placed", "complaint.made", "order.placed", "order.placed"]
        events = [
            await an_event(
                session, contact.id, name, occurred_at=SOME_DAY + timedelta(hours=number), properties={"total": 100}
            )
            for number, name in enumerate(names)
        ]

        crossings = await scoring.apply(contact.id, events)

        assert _told(crossings) == [("warm", 50), ("hot", 50), ("hot", 50)]
        assert len({crossing.event_id for crossing in crossings}) == 3

    async def test_a_threshold_is_crossed_again_only_after_a_fall_below_what_it_says(
        self, session: AsyncSession
    ) -> None:
        """40 points for an order, 20 less for a return; 60 are `hot` until fewer than 50 are left."""
        scoring, contact = ScoringRepository(session), await a_contact(session)
        rules = [
            {"key": "order", "event": "order.placed", "points": 40},
            {"key": "return", "event": "order.returned", "points": -20},
        ]
        hot = {"key": "hot", "points": 60, "again_below": 50}
        await scoring.publish(_model(rules=rules, thresholds=[hot]))
        names = ["order", "order", "return", "return", "order", "order"]
        told = []
        for number, name in enumerate(names):
            at = SOME_DAY + timedelta(hours=number)
            done = "order.returned" if name == "return" else "order.placed"
            told.append(
                _told(await scoring.apply(contact.id, [await an_event(session, contact.id, done, occurred_at=at)]))
            )

        # 40, 80, 60, 40, 80, 120
        assert told == [[], [("hot", 80)], [], [], [("hot", 80)], []]

    @pytest.mark.parametrize("recount", ["recompute", "new version"])
    async def test_no_recount_forgets_that_a_threshold_was_crossed(self, session: AsyncSession, recount: str) -> None:
        scoring, contact = ScoringRepository(session), await a_contact(session)
        hot = {"key": "hot", "points": 50, "again_below": 20}
        await scoring.publish(_model(thresholds=[hot]))
        await scoring.apply(contact.id, [await an_event(session, contact.id, properties={"total": 100})])
        await scoring.apply(contact.id, [await an_event(session, contact.id, "score.given", properties=_given(-25))])
        if recount == "new version":
            await scoring.publish(_model(thresholds=[hot], name="Lead 2"))
        assert (await scoring.recompute(contact.id, "lead", SOME_DAY)).crossed == ()

        back = await an_event(session, contact.id, "score.given", properties=_given(25))

        assert await scoring.apply(contact.id, [back]) == []
        assert await _points(session, contact.id) == 50

    async def test_an_event_that_comes_late_counts_as_if_it_had_come_in_time(self, session: AsyncSession) -> None:
        """Two visits a day count. The late one belongs to a day on which only it happened, or is one too many."""
        scoring, contact = ScoringRepository(session), await a_contact(session)
        await scoring.publish(_model())
        hours = [10, 30, 31, 5, 32]
        events = []
        for hour in hours:
            at = SOME_DAY + timedelta(hours=hour)
            events.append(await an_event(session, contact.id, "page.viewed", occurred_at=at))
            await scoring.apply(contact.id, events[-1:])

        assert await _points(session, contact.id) == fold(_model(), map(event_fact, events)).points
        assert await _points(session, contact.id) == await _sum_of_entries(session, contact.id)

    @pytest.mark.parametrize(("backfill", "told"), [(Backfill.MATCHING, [("warm", 30)]), (Backfill.NONE, [])])
    async def test_what_happened_before_the_model_counts_from_the_first_event_on_and_is_told_where_asked(
        self, session: AsyncSession, backfill: Backfill, told: list[tuple[str, int]]
    ) -> None:
        scoring, contact = ScoringRepository(session), await a_contact(session)
        await an_event(session, contact.id, "order.placed", properties={"total": 50})
        await scoring.publish(_model(), backfill=backfill)

        crossings = await scoring.apply(contact.id, [await an_event(session, contact.id, "page.viewed")])

        assert await _points(session, contact.id) == 35
        assert _told(crossings) == told

    async def test_a_new_version_counts_again_with_the_next_event(self, session: AsyncSession) -> None:
        scoring, contact = ScoringRepository(session), await a_contact(session)
        await scoring.publish(_model())
        await scoring.apply(contact.id, [await an_event(session, contact.id, properties={"total": 120})])
        await scoring.publish(_model(rules=[{"key": "order", "event": "order.placed", "points": 1}]))

        await scoring.apply(contact.id, [await an_event(session, contact.id)])

        (explanation,) = await scoring.explain(contact.id)
        assert (explanation.model_version, explanation.points) == (2, 2)
        assert {entry.model_version for entry in explanation.entries} == {2}

    async def test_an_event_a_rule_cannot_judge_gives_nothing_and_stops_nothing(
        self, session: AsyncSession, caplog: pytest.LogCaptureFixture
    ) -> None:
        scoring, contact = ScoringRepository(session), await a_contact(session)
        await scoring.publish(_model())

        await scoring.apply(contact.id, [await an_event(session, contact.id, properties={"total": "a lot"})])

        assert await _points(session, contact.id) == 30
        assert "big-order" in caplog.text
        assert "a lot" not in caplog.text

    async def test_the_id_of_a_crossing_does_not_grow_with_that_of_its_cause(self, session: AsyncSession) -> None:
        scoring, contact = ScoringRepository(session), await a_contact(session)
        await scoring.publish(_model())
        event = await an_event(session, contact.id, event_id="x" * 500, properties={"total": 1})

        (crossing,) = await scoring.apply(contact.id, [event])

        assert len(crossing.event_id) < 250


class TestRecompute:
    async def test_it_tells_before_after_and_what_was_crossed(self, session: AsyncSession) -> None:
        scoring, contact = ScoringRepository(session), await a_contact(session)
        await an_event(session, contact.id, properties={"total": 120})
        await scoring.publish(_model())
        now = SOME_DAY + timedelta(days=1)

        change = await scoring.recompute(contact.id, "lead", now)

        assert (change.before, change.after) == (0, 50)
        assert _told(change.crossed) == [("warm", 50), ("hot", 50)]
        assert {crossing.occurred_at for crossing in change.crossed} == {now}

    async def test_a_second_time_changes_and_tells_nothing(self, session: AsyncSession) -> None:
        scoring, contact = ScoringRepository(session), await a_contact(session)
        await an_event(session, contact.id, properties={"total": 120})
        await scoring.publish(_model())
        await scoring.recompute(contact.id, "lead", SOME_DAY)
        entries = (await session.scalars(select(ScoreEntry.id))).all()

        change = await scoring.recompute(contact.id, "lead", SOME_DAY)

        assert (change.before, change.after, change.crossed) == (50, 50, ())
        assert (await session.scalars(select(ScoreEntry.id))).all() == entries

    async def test_an_event_counted_so_is_not_counted_again_when_its_turn_comes(self, session: AsyncSession) -> None:
        scoring, contact = ScoringRepository(session), await a_contact(session)
        await scoring.publish(_model())
        event = await an_event(session, contact.id, properties={"total": 120})
        await scoring.recompute(contact.id, "lead", SOME_DAY)

        assert await scoring.apply(contact.id, [event]) == []
        assert await _points(session, contact.id) == 50

    @pytest.mark.parametrize("model", ["lead", "other"])
    async def test_an_unknown_model_or_contact_is_not_found(self, session: AsyncSession, model: str) -> None:
        await ScoringRepository(session).publish(_model())

        with pytest.raises(NotFound):
            await ScoringRepository(session).recompute(uuid4(), model, SOME_DAY)


Action = tuple[str, int, int]
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["page.viewed", "order.placed", "complaint.made", "recompute", "publish", "repeat"]),
        st.integers(0, 72),
        st.sampled_from([10, 100, 150]),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS)
async def test_a_score_is_the_sum_of_its_entries_and_each_rise_is_told_once(
    sessions: Sessions, actions: list[Action]
) -> None:
    """Whatever happens in whatever order: late events, repetitions, recounting, new versions of the model."""
    async with sessions.begin() as session:
        contact = (await a_contact(session)).id
        await ScoringRepository(session).publish(_model())
    version, points, told = 1, 0, set[str]()
    for action, hour, total in actions:
        async with sessions.begin() as session:
            version += action == "publish"
            counted_once = await _is_current(session, contact)
            crossings = await _act(session, contact, action, hour=hour, total=total, version=version)
            after = await _points(session, contact) or 0
            assert after == await _sum_of_entries(session, contact)
            risen = {threshold.key for threshold in _model().thresholds if points < threshold.points <= after}
            crossed = [crossing.properties["threshold"] for crossing in crossings]
            assert set(crossed) >= risen
            # Under a new version the old events are counted first, then the new one: it may rise and fall at once.
            assert not counted_once or sorted(crossed) == sorted(risen)
            assert len({crossing.event_id for crossing in crossings} | told) == len(crossings) + len(told)
            told |= {crossing.event_id for crossing in crossings}
            accepted = await EventRepository(session).accept(crossings)
            assert accepted == {crossing.event_id for crossing in crossings}
            points = after
    async with sessions.begin() as session:
        await ScoringRepository(session).recompute(contact, "lead", SOME_DAY)
        (live,) = await ScoringRepository(session).live()
        stored = await session.scalars(select(Event).where(Event.contact_id == contact))
        assert await _points(session, contact) == fold(live.model, map(event_fact, stored)).points


async def _is_current(session: AsyncSession, contact: UUID) -> bool:
    (live,) = await ScoringRepository(session).live()
    return await session.scalar(select(Score.model_version).where(Score.contact_id == contact)) == live.version


async def _act(
    session: AsyncSession, contact: UUID, action: str, *, hour: int, total: int, version: int
) -> Sequence[NewEvent]:
    scoring = ScoringRepository(session)
    if action == "recompute":
        return (await scoring.recompute(contact, "lead", SOME_DAY)).crossed
    if action == "publish":
        rules = [*LEAD["rules"], {"key": "extra", "event": "page.viewed", "points": version}]
        await scoring.publish(_model(rules=rules, name=f"Lead {version}"), backfill=Backfill.MATCHING)
        return []
    if action == "repeat":
        return await scoring.apply(contact, await EventRepository(session).page(contact, limit=3))
    at = SOME_DAY + timedelta(hours=hour)
    event = await an_event(session, contact, action, occurred_at=at, properties={"total": total})
    return await scoring.apply(contact, [event])
