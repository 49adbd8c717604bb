"""Journeys found by what they are for."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys import JourneyRepository
from journeys.documents import journey_from_document
from tests.support.builders import A_JOURNEY, a_live_journey

SELL = {"type": "sell", "event": "order.placed"}
SERVE = {"type": "serve", "event": "order.placed"}


async def found(session: AsyncSession, **asked: str | int | None) -> list[str]:
    page = await JourneyRepository(session).page(**asked)  # type: ignore[arg-type]
    return [one.key for one in page]


async def test_they_are_filed_as_the_live_version_says_or_else_the_newest(session: AsyncSession) -> None:
    await a_live_journey(session, {"key": "a", "goal": SELL, "stages": ["lead", "customer"]})
    await a_live_journey(session, {"key": "b", "goal": SERVE, "stages": ["customer"]})
    await a_live_journey(session, {"key": "c", "goal": None})
    repository = JourneyRepository(session)
    await repository.put_draft(journey_from_document({**A_JOURNEY, "key": "b", "goal": SELL, "stages": ["lead"]}))
    await repository.put_draft(journey_from_document({**A_JOURNEY, "key": "d", "goal": SELL, "stages": ["lead"]}))

    assert await found(session) == ["a", "b", "c", "d"]
    assert await found(session, stage="lead") == ["a", "d"]
    assert await found(session, stage="customer") == ["a", "b"]
    assert await found(session, stage="evangelist") == []
    assert await found(session, goal_type="sell") == ["a", "d"]
    assert await found(session, goal_type="serve") == ["b"]
    assert await found(session, stage="customer", goal_type="sell") == ["a"]
    assert await found(session, stage="lead", after="a", limit=1) == ["d"]
    assert await found(session, stage="lead", limit=1) == ["a"]
    first, *_ = await repository.page()
    assert (first.goal_type, first.stages) == ("sell", ("lead", "customer"))
