"""A contact's reactions to mails, read from the log."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from crm.events import EventRepository, NewEvent
from crm.reactions import MOST_REACTIONS, reactions_of
from journeys.sittings import LOOK_BACK
from kit.database import Sessions
from tests.support.builders import SOME_DAY, a_contact, an_event

NOW = SOME_DAY + timedelta(days=3)


async def test_what_the_contact_opened_and_clicked_up_to_now_is_read_oldest_first(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        ada, other = await a_contact(session), await a_contact(session)

        async def happened(event_id: str, name: str, ago: timedelta, contact_id: UUID = ada.id, **more: Any) -> None:
            await an_event(session, contact_id, name, event_id=event_id, occurred_at=NOW - ago, properties=more)

        await happened("click", "mail.clicked", timedelta())
        await happened("machine", "mail.opened", timedelta(hours=1), machine=True)
        await happened("said in words", "mail.opened", timedelta(hours=2), machine="no")
        await happened("earliest", "mail.opened", LOOK_BACK)
        await happened("order", "order.placed", timedelta(hours=3))
        await happened("to come", "mail.opened", -timedelta(seconds=1))
        await happened("too old", "mail.opened", LOOK_BACK + timedelta(seconds=1))
        await happened("of another", "mail.opened", timedelta(hours=1), other.id)
        found = await reactions_of(session, ada.id, NOW)
    assert [(one.event_id, one.machine) for one in found] == [
        ("earliest", False),
        ("said in words", False),
        ("machine", True),
        ("click", False),
    ]


async def test_of_very_many_the_newest_are_read(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        ada = await a_contact(session)
        minute = timedelta(minutes=1)
        events = [
            NewEvent(f"open-{ago}", ada.id, "mail.opened", occurred_at=NOW - ago * minute)
            for ago in range(MOST_REACTIONS + 1)
        ]
        await EventRepository(session).accept(events)
        found = await reactions_of(session, ada.id, NOW)
    assert len(found) == MOST_REACTIONS
    assert (found[0].event_id, found[-1].event_id) == (f"open-{MOST_REACTIONS - 1}", "open-0")
