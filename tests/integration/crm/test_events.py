from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event as listen
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from crm.events import EventRepository, NewEvent
from crm.models.event import Event, EventReceipt, QueuedEvent
from kit.database import Sessions
from kit.errors import Invalid
from tests.support.builders import SOME_DAY


def _event(event_id: str, contact_id: UUID, **overrides: Any) -> NewEvent:
    given: Mapping[str, Any] = {"name": "order.placed", "occurred_at": SOME_DAY, **overrides}
    return NewEvent(event_id=event_id, contact_id=contact_id, **given)


async def _stored(session: AsyncSession) -> list[Event]:
    return list(await session.scalars(select(Event).order_by(Event.sequence)))


class TestAccept:
    async def test_an_event_gets_a_receipt_its_row_and_its_place_in_the_queue(self, session: AsyncSession) -> None:
        contact = uuid4()

        new = await EventRepository(session).accept([_event("e1", contact, properties={"total": 12.5, "sku": "A\\u1"})])

        (stored,) = await _stored(session)
        queued = (await session.scalars(select(QueuedEvent))).one()
        assert new == {"e1"}
        assert (stored.event_id, stored.contact_id, stored.occurred_at) == ("e1", contact, SOME_DAY)
        assert stored.properties == {"total": 12.5, "sku": "A\\u1"}
        assert (queued.sequence, queued.received_at, queued.contact_id) == (
            stored.sequence,
            stored.received_at,
            contact,
        )

    async def test_an_id_seen_before_changes_nothing(self, sessions: Sessions) -> None:
        contact = uuid4()
        async with sessions.begin() as session:
            await EventRepository(session).accept([_event("e1", contact)])
        async with sessions.begin() as session:
            new = await EventRepository(session).accept([_event("e1", uuid4(), name="other"), _event("e2", contact)])

        async with sessions() as session:
            assert new == {"e2"}
            assert [(event.event_id, event.name) for event in await _stored(session)] == [
                ("e1", "order.placed"),
                ("e2", "order.placed"),
            ]
            assert (await session.scalars(select(func.count()).select_from(EventReceipt))).one() == 2

    async def test_of_an_id_given_twice_the_first_is_kept(self, session: AsyncSession) -> None:
        contact = uuid4()

        new = await EventRepository(session).accept([_event("e1", contact, name="a"), _event("e1", contact, name="b")])

        assert new == {"e1"}
        assert [event.name for event in await _stored(session)] == ["a"]

    async def test_the_order_given_is_the_order_kept(self, session: AsyncSession) -> None:
        contact = uuid4()
        given = [f"{(7 * number) % 1000:03}" for number in range(1000)]

        await EventRepository(session).accept([_event(event_id, contact) for event_id in given])

        assert [event.event_id for event in await _stored(session)] == given

    async def test_a_whole_batch_is_one_statement(self, sessions: Sessions, engine: AsyncEngine) -> None:
        statements: list[str] = []
        listen.listen(engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

        async with sessions.begin() as session:
            await EventRepository(session).accept([_event(f"e{number}", uuid4()) for number in range(100)])

        assert len(statements) == 1

    async def test_nothing_given_is_nothing_accepted(self, session: AsyncSession) -> None:
        assert await EventRepository(session).accept([]) == frozenset()

    async def test_a_known_id_is_known(self, session: AsyncSession) -> None:
        events = EventRepository(session)
        await events.accept([_event("e1", uuid4())])

        assert await events.is_known("e1")
        assert not await events.is_known("e2")


@pytest.mark.parametrize(
    ("overrides", "where"),
    [
        ({"occurred_at": datetime(2026, 3, 2)}, "occurred_at"),  # noqa: DTZ001 -- naive is what is tested
        ({"properties": {"price": float("nan")}}, "properties"),
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
    ],
)
def test_an_event_no_table_can_hold_is_invalid_before_it_is_sent(overrides: dict[str, Any], where: str) -> None:
    with pytest.raises(Invalid) as caught:
        _event("e1", uuid4(), **overrides)

    assert [problem.where for problem in caught.value.problems] == [where]


class TestHistory:
    async def test_it_holds_the_names_and_the_span_asked_for_oldest_first(self, session: AsyncSession) -> None:
        contact, days = uuid4(), [SOME_DAY + timedelta(days=number) for number in range(5)]
        given = [_event(f"e{number}", contact, occurred_at=day) for number, day in enumerate(days)]
        noise = [_event("n1", contact, name="noise"), _event("n2", uuid4())]
        await EventRepository(session).accept([*reversed(given), *noise])

        found = await EventRepository(session).history(
            contact, names=["order.placed"], since=days[1], until=days[3], limit=2
        )

        assert [event.event_id for event in found] == ["e2", "e3"]

    async def test_without_conditions_it_is_everything_of_the_contact(self, session: AsyncSession) -> None:
        contact = uuid4()
        await EventRepository(session).accept([_event("e1", contact), _event("e2", contact, name="other")])

        assert len(await EventRepository(session).history(contact)) == 2
        assert await EventRepository(session).history(contact, names=[]) == []


async def test_pages_go_back_from_the_newest_received(session: AsyncSession) -> None:
    contact, events = uuid4(), EventRepository(session)
    await events.accept([_event(f"e{number}", contact) for number in range(5)])

    first = await events.page(contact, limit=3)
    second = await events.page(contact, before_sequence=first[-1].sequence, limit=3)

    assert [event.event_id for event in [*first, *second]] == ["e4", "e3", "e2", "e1", "e0"]


async def test_instants_keep_their_meaning_whatever_their_offset(session: AsyncSession) -> None:
    contact = uuid4()
    there = datetime.fromisoformat("2026-03-02T10:00:00+01:00")

    await EventRepository(session).accept([_event("e1", contact, occurred_at=there)])

    (stored,) = await _stored(session)
    assert stored.occurred_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
