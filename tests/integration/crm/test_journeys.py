import asyncio
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys import JourneyRepository, definition_of, plan_of
from crm.models.access import AuditEntry
from crm.models.journey import JourneyVersion, VersionState
from journeys.model import Journey
from journeys.plan import compile_plan
from kit.database import Sessions
from kit.errors import Conflict, NotFound
from tests.support.builders import A_JOURNEY, a_live_journey


def _journey(**overrides: Any) -> Journey:
    return Journey.model_validate({**A_JOURNEY, **overrides})


async def _states(session: AsyncSession, key: str = "welcome-test") -> list[tuple[int, str]]:
    return [(row.version, row.state) for row in await JourneyRepository(session).versions(key)]


class TestDraft:
    async def test_it_holds_definition_plan_and_what_intake_looks_for(self, session: AsyncSession) -> None:
        draft = await JourneyRepository(session).put_draft(_journey())

        assert (draft.version, draft.state, draft.published_at) == (1, VersionState.DRAFT, None)
        assert (draft.entry_event, draft.listens) == ("contact.registered", ["order.placed"])
        assert definition_of(draft) == _journey()
        assert plan_of(draft) == compile_plan(_journey(), 1)

    async def test_a_second_draft_takes_the_place_of_the_first(self, session: AsyncSession) -> None:
        journeys = JourneyRepository(session)
        await journeys.put_draft(_journey())

        draft = await journeys.put_draft(_journey(name="Other", goal=None))

        assert await _states(session) == [(1, "draft")]
        assert (definition_of(draft).name, draft.listens) == ("Other", [])

    async def test_a_draft_beside_a_live_version_has_the_next_number(self, session: AsyncSession) -> None:
        await a_live_journey(session)

        draft = await JourneyRepository(session).put_draft(_journey(name="Other"))

        assert draft.version == 2
        assert await _states(session) == [(2, "draft"), (1, "live")]

    async def test_documents_are_as_short_as_they_can_be(self, session: AsyncSession) -> None:
        draft = await JourneyRepository(session).put_draft(_journey())

        assert draft.definition == A_JOURNEY
        assert draft.plan["nodes"]["pause"] == {"kind": "wait", "duration": "1d", "next": "mail"}


class TestPublish:
    async def test_the_draft_goes_live_and_the_live_version_finishes(self, session: AsyncSession) -> None:
        journeys = JourneyRepository(session)
        await a_live_journey(session)
        await journeys.put_draft(_journey(name="Other"))

        published = await journeys.publish("welcome-test", by="key:7")

        assert (published.version, published.state) == (2, "live")
        assert published.published_at is not None
        assert await _states(session) == [(2, "live"), (1, "finishing")]

    async def test_it_is_written_down_who_did_it(self, session: AsyncSession) -> None:
        await JourneyRepository(session).put_draft(_journey())
        await JourneyRepository(session).publish("welcome-test", by="key:7")

        entry = (await session.scalars(select(AuditEntry))).one()
        assert (entry.actor, entry.action, entry.target) == ("key:7", "journey.published", "journey:welcome-test")
        assert entry.details == {"version": 1, "finishing": None}

    async def test_an_unchanged_definition_makes_no_new_version(self, session: AsyncSession) -> None:
        journeys = JourneyRepository(session)
        live = await a_live_journey(session)
        await journeys.put_draft(_journey())

        again = await journeys.publish("welcome-test", by="key:7")

        assert again.version == live.version
        assert await _states(session) == [(1, "live")]

    async def test_a_repetition_answers_as_the_first_time(self, session: AsyncSession) -> None:
        live = await a_live_journey(session)

        assert (await JourneyRepository(session).publish("welcome-test", by="key:7")).version == live.version

    async def test_without_draft_and_live_version_there_is_nothing_to_publish(self, session: AsyncSession) -> None:
        version = await a_live_journey(session)
        version.state = VersionState.STOPPED

        with pytest.raises(Conflict):
            await JourneyRepository(session).publish("welcome-test", by="key:7")

    async def test_an_unknown_journey_is_not_found(self, session: AsyncSession) -> None:
        with pytest.raises(NotFound):
            await JourneyRepository(session).publish("nowhere", by="key:7")

    async def test_several_at_the_same_time_leave_one_live_version(self, sessions: Sessions) -> None:
        async def publish(name: str) -> int:
            async with sessions.begin() as session:
                journeys = JourneyRepository(session)
                await journeys.put_draft(_journey(name=name))
                return (await journeys.publish("welcome-test", by="key:7")).version

        versions = await asyncio.gather(*(publish(f"Journey {number}") for number in range(4)))

        async with sessions() as session:
            assert sorted(versions) == [1, 2, 3, 4]
            assert await _states(session) == [(4, "live"), (3, "finishing"), (2, "finishing"), (1, "finishing")]


async def test_a_plan_of_a_published_version_is_parsed_once(session: AsyncSession) -> None:
    live = await a_live_journey(session)

    assert plan_of(live) is plan_of(live)


async def test_the_plan_of_a_draft_that_was_replaced_is_the_new_one(session: AsyncSession) -> None:
    journeys = JourneyRepository(session)
    plan_of(await journeys.put_draft(_journey()))

    replaced = await journeys.put_draft(_journey(name="Other"))

    assert plan_of(replaced).name == "Other"


async def test_an_event_finds_the_live_versions_it_may_enter(session: AsyncSession) -> None:
    journeys = JourneyRepository(session)
    await a_live_journey(session, {"key": "b"})
    await a_live_journey(session, {"key": "a"})
    await a_live_journey(session, {"key": "other", "entry": {"event": "order.placed"}})
    await a_live_journey(session, {"key": "by-hand", "entry": {}})
    await journeys.put_draft(_journey(key="draft-only"))

    found = await journeys.live_for_event("contact.registered")

    assert [version.journey_key for version in found] == ["a", "b"]


async def test_a_listing_tells_the_live_name_and_what_is_drafted(session: AsyncSession) -> None:
    journeys = JourneyRepository(session)
    await a_live_journey(session, {"key": "b", "name": "Live name"})
    await journeys.put_draft(_journey(key="b", name="Draft name"))
    await journeys.put_draft(_journey(key="a", name="Only a draft"))
    await a_live_journey(session, {"key": "c"})

    first, second = await journeys.page(limit=2)
    (third,) = await journeys.page(after=second.key, limit=2)

    assert (first.key, first.name, first.live, first.draft) == ("a", "Only a draft", None, 1)
    assert (second.key, second.name, second.live, second.draft) == ("b", "Live name", 1, 2)
    assert third.key == "c"


async def test_yaml_can_be_published_as_tests_write_it(session: AsyncSession) -> None:
    live = await a_live_journey(
        session, "{key: short, name: Short, owner: tests, entry: {event: go}, steps: [{wait: 1h}]}"
    )

    assert isinstance(live, JourneyVersion)
    assert list(plan_of(live).nodes) == ["wait-1"]
