from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import event as listen
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from crm.consent import ConsentRepository
from crm.facts import load_facts
from crm.lists import ListRepository
from crm.scoring import ScoringRepository
from journeys.conditions.base import EventFact, Needs
from journeys.scoring import PointsModel
from kit.database import Sessions
from kit.errors import NotFound
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment, an_event

MODEL = PointsModel.model_validate(
    {"key": "lead", "name": "Lead", "rules": [{"key": "order", "event": "order.placed", "points": 7}]}
)


async def test_attributes_are_the_typed_fields_and_the_free_ones_together(session: AsyncSession) -> None:
    contact = await a_contact(session, user_id="ada", country="DE", plan="pro", address={"city": "Köln"})

    facts = await load_facts(session, contact.id, Needs(), SOME_DAY)

    assert facts.attributes == {
        "email": "ada@example.com",
        "first_name": "Ada",
        "country": "DE",
        "plan": "pro",
        "address": {"city": "Köln"},
    }


async def test_events_are_those_asked_for_that_have_occurred_by_then(session: AsyncSession) -> None:
    contact = await a_contact(session)
    for event_id, name, days in (("e1", "a", 0), ("e2", "a", 1), ("e3", "a", 2), ("e4", "b", 0)):
        await an_event(session, contact.id, name, event_id=event_id, occurred_at=SOME_DAY + timedelta(days=days))

    facts = await load_facts(session, contact.id, Needs(events=frozenset({"a"})), SOME_DAY + timedelta(days=1))

    first, second = (event.sequence for event in facts.events)
    assert facts.events == (
        EventFact("a", SOME_DAY, {}, "e1", first),
        EventFact("a", SOME_DAY + timedelta(days=1), {}, "e2", second),
    )
    assert first is not None
    assert second is not None
    assert first < second


async def test_lists_consents_and_scores_come_when_needed(session: AsyncSession) -> None:
    contact = await a_contact(session)
    await ListRepository(session).change(contact.id, list_key="vip", member=True, reason="bought")
    await ConsentRepository(session).record(
        contact.id, purpose="marketing", channel="email", state="granted", source="form", occurred_at=SOME_DAY
    )
    await ScoringRepository(session).publish(MODEL)
    await ScoringRepository(session).apply(contact.id, [await an_event(session, contact.id)])

    needs = Needs(score_models=frozenset({"lead", "other"}), lists=True, consents=True)
    facts = await load_facts(session, contact.id, needs, SOME_DAY)

    assert facts.lists == {"vip"}
    assert facts.consents == {("marketing", "email")}
    assert facts.scores == {"lead": 7, "other": 0}


async def test_what_nobody_needs_is_not_asked_of_the_database(sessions: Sessions, engine: AsyncEngine) -> None:
    async with sessions.begin() as session:
        contact = await a_contact(session)
    statements: list[Sequence[str]] = []
    async with sessions.begin() as session:
        listen.listen(engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
        await load_facts(session, contact.id, Needs(), SOME_DAY)

    assert len(statements) == 1


async def test_an_enrollment_tells_its_entry_and_since_when(session: AsyncSession) -> None:
    contact = await a_contact(session)
    version = await a_live_journey(session)
    enrollment = await an_enrollment(session, contact.id, version, entry_properties={"product_id": "p1"})

    facts = await load_facts(
        session,
        contact.id,
        Needs(),
        SOME_DAY + timedelta(days=3),
        enrollment=enrollment,
        results={"asked": "timed_out"},
        step_since=SOME_DAY + timedelta(days=2),
    )

    assert facts.entry == {"product_id": "p1"}
    assert facts.entered_at == SOME_DAY
    assert facts.results == {"asked": "timed_out"}
    assert facts.step_since == SOME_DAY + timedelta(days=2)


async def test_before_there_is_an_enrollment_the_entry_is_what_is_given(session: AsyncSession) -> None:
    contact = await a_contact(session)

    facts = await load_facts(session, contact.id, Needs(), SOME_DAY, entry={"product_id": "p1"})

    assert (facts.entry, facts.entered_at) == ({"product_id": "p1"}, None)


async def test_an_unknown_contact_is_not_found(session: AsyncSession) -> None:
    with pytest.raises(NotFound):
        await load_facts(session, uuid4(), Needs(), SOME_DAY)
