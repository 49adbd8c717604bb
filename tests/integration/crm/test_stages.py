"""The stage of a contact, and its history without gaps."""

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.events import EventRepository
from crm.facts import load_facts
from crm.models.contact import Contact
from crm.stages import StageRepository, Wanted
from journeys.conditions.base import Needs
from journeys.stages import Stage, StageMove
from kit.database import Sessions
from kit.errors import NotFound
from tests.support.builders import SOME_DAY, a_contact

moves = st.lists(st.tuples(st.sampled_from(list(Stage)), st.booleans()), max_size=8)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves)
async def test_each_change_begins_where_the_one_before_ended_and_is_told_once(
    sessions: Sessions, asked: list[tuple[Stage, bool]]
) -> None:
    async with sessions.begin() as session:
        contact = await a_contact(session)
        repository = StageRepository(session)
        for number, (to, back) in enumerate(asked):
            at = SOME_DAY + timedelta(hours=number)
            await repository.change(contact.id, Wanted(to, str(uuid4()), "key:tests", at, reason="why", back=back))
        history = list(reversed(await repository.page(contact.id)))
        events = await EventRepository(session).history(contact.id, names=["stage.changed"])
        now = (await session.get_one(Contact, contact.id, populate_existing=True)).stage

    stages = [Stage.VISITOR.value, *(change.to_stage for change in history)]
    assert [change.from_stage for change in history] == stages[:-1]
    assert now == stages[-1]
    assert [(event.properties["from"], event.properties["to"]) for event in events] == [
        (change.from_stage, change.to_stage) for change in history
    ]
    assert [event.event_id for event in events] == [change.event_id for change in history]


async def test_it_is_a_fact_that_conditions_see(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        contact = await a_contact(session)
        wanted = Wanted(Stage.CUSTOMER, "e-1", "key:tests", SOME_DAY)
        assert (await StageRepository(session).change(contact.id, wanted)).move is StageMove.CHANGED
        known = await load_facts(session, contact.id, Needs(stage=True), SOME_DAY)
    assert known.stage is Stage.CUSTOMER


async def test_of_an_unknown_contact_there_is_none(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        with pytest.raises(NotFound):
            await StageRepository(session).change(uuid4(), Wanted(Stage.LEAD, "e-1", "key:tests", SOME_DAY))
