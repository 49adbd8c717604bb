"""Publishing a journey while intake and a walk on its behalf are at work: nobody waits in a circle."""

import asyncio
from datetime import timedelta

from sqlalchemy import select, text

from crm.journeys import JourneyRepository
from crm.models.clock import EntryRound
from crm.models.contact import Contact
from intake.rounds import walk_on
from intake.walks import Present
from journeys.documents import journey_from_document
from kit.clock import wall_clock
from tests.support.clocks import DEFAULT_ZONE
from tests.support.intake import Intake, journey
from tests.support.temporal import eventually


def missed(event: str) -> dict[str, object]:
    entry = {"absence": {"of": event, "for": "90d", "backfill": "matching"}}
    return {"goal": None, "exit": [], "entry": entry}


async def test_a_walk_intake_and_a_publication_of_one_journey_come_one_after_the_other(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish("missed", **missed("order.placed"))

    async def waiting(at_least: int) -> bool:
        locks = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        async with intake.sessions() as session:
            return int(await session.scalar(text(locks)) or 0) >= at_least

    async def publish() -> None:
        async with intake.sessions.begin() as session:
            journeys = JourneyRepository(session)
            await journeys.put_draft(journey_from_document(journey("missed", **missed("page.viewed"))))
            await journeys.publish("missed", by="tests")

    async with intake.sessions.begin() as session:  # intake, in the middle of this contact's events
        await session.execute(select(Contact.id).where(Contact.id == contact).with_for_update(key_share=True))
        walk = asyncio.create_task(walk_on(intake.sessions, Present(wall_clock() + timedelta(days=1), DEFAULT_ZONE)))
        await eventually(lambda: waiting(1))
        publication = asyncio.create_task(publish())
        await eventually(lambda: waiting(2))
        await JourneyRepository(session).hold(["missed"])
    await asyncio.gather(walk, publication)

    assert [one.outcome for one in await intake.rows(EntryRound)][:1] == ["done"]
