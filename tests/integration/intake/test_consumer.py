"""The loop of intake: order, several consumers, events that cannot be applied, outages, sudden death."""

import asyncio
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select, text

from crm.events import EventRepository, NewEvent
from crm.models.contact import Contact
from crm.models.event import Event, QueuedEvent
from intake import claims
from intake.failures import take_up_again
from intake.models import IntakeFailure, OutboxEntry
from tests.support.intake import NOW, Intake
from tests.support.temporal import eventually

TICKING: dict[str, Any] = {
    "goal": None,
    "exit": [],
    "steps": [{"id": "tick", "wait_for": {"event": "tick", "up_to": "2d", "since": "step"}}],
}


@asynccontextmanager
async def running(intake: Intake, *, consumers: int = 1) -> AsyncIterator[None]:
    """Consumers at work, as in a worker process."""
    tasks = [asyncio.create_task(intake.consumer().run()) for _ in range(consumers)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def empty_queue(intake: Intake) -> Callable[[], Awaitable[bool]]:
    async def is_empty() -> bool:
        return await intake.count(QueuedEvent) == 0

    return is_empty


async def accept_ticks(intake: Intake, contacts: list[UUID], rounds: int, source: random.Random) -> None:
    """Batches of ticks for several contacts at once, in an arbitrary mixture."""
    for number in range(rounds):
        chosen = source.choices(contacts, k=source.randint(1, 12))
        ticks = [NewEvent(f"tick-{number}-{place}", who, "tick", NOW) for place, who in enumerate(chosen)]
        async with intake.sessions.begin() as session:
            await EventRepository(session).accept(ticks)


async def told_in_order(intake: Intake) -> dict[UUID, list[str]]:
    """Per contact the ids of delivered events, in the order of the outbox."""
    owners = {enrollment.id: enrollment.contact_id for enrollment in await intake.enrollments()}
    told: dict[UUID, list[str]] = {}
    for entry in await intake.rows(OutboxEntry):
        if entry.kind == "deliver":
            told.setdefault(owners[entry.enrollment_id], []).append(entry.payload["event_id"])
    return told


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_several_consumers_keep_the_order_of_each_contact(intake: Intake, seed: int) -> None:
    await intake.publish(**TICKING)
    contacts = [await intake.contact() for _ in range(4)]
    for contact in contacts:
        await intake.tell(contact, "order.placed")

    async with running(intake, consumers=3):
        await accept_ticks(intake, contacts, 40, random.Random(seed))
        await eventually(empty_queue(intake))

    async with intake.sessions() as session:
        log = (await session.scalars(select(Event).where(Event.name == "tick").order_by(Event.sequence))).all()
    accepted: dict[UUID, list[str]] = {}
    for event in log:
        accepted.setdefault(event.contact_id, []).append(event.event_id)
    assert await told_in_order(intake) == accepted


async def test_an_event_id_that_comes_twice_changes_nothing(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish()
    await intake.tell(contact, "order.placed", event_id="e-1")
    await intake.tell(contact, "review.created", event_id="e-2")
    before = await intake.outbox()

    await intake.accept(contact, "order.placed", {"other": "properties"}, event_id="e-1")
    await intake.accept(contact, "review.created", event_id="e-2")

    assert await intake.apply() == 0
    assert await intake.outbox() == before
    assert await intake.refusals() == []


async def test_the_same_event_sent_by_many_at_once_is_one_event(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish()

    async with running(intake, consumers=2):
        await asyncio.gather(*(intake.accept(contact, "order.placed", event_id="e-1") for _ in range(8)))
        await eventually(empty_queue(intake))

    assert len(await intake.outbox()) == 1
    assert await intake.refusals() == []


async def test_what_has_waited_long_is_applied_in_bounded_pieces(intake: Intake) -> None:
    await intake.publish(**TICKING)
    contact = await intake.contact()
    await intake.tell(contact, "order.placed")
    count = claims.EVENTS_AT_ONCE * 2 + 50
    ticks = [NewEvent(f"tick-{number}", contact, "tick", NOW) for number in range(count)]
    async with intake.sessions.begin() as session:
        await EventRepository(session).accept(ticks)

    assert await intake.apply() == count

    assert await told_in_order(intake) == {contact: [f"tick-{number}" for number in range(count)]}


async def test_contacts_waiting_behind_a_busy_one_with_very_many_events_are_found(intake: Intake) -> None:
    busy, patient = await intake.contact(), await intake.contact()
    flood = [NewEvent(f"view-{number}", busy, "page.viewed", NOW) for number in range(5_000)]
    async with intake.sessions.begin() as session:
        await EventRepository(session).accept(flood)
    await intake.accept(patient, "page.viewed")

    async with intake.sessions.begin() as session:
        assert await claims.claim_contact(session, busy)
        assert await intake.apply() == 1

    assert await intake.apply() == 5_000


async def test_an_event_that_cannot_be_applied_is_set_aside_and_holds_up_nobody(intake: Intake) -> None:
    await intake.publish()
    contact, other = await intake.contact(), await intake.contact()
    await intake.accept(contact, "contact.identified", {"plan": "pro"})
    await intake.accept(contact, "consent.granted", {"purpose": "world-domination"}, event_id="poison")
    await intake.accept(contact, "order.placed")
    await intake.accept(other, "order.placed")

    await intake.apply()

    assert {enrollment.contact_id for enrollment in await intake.enrollments()} == {contact, other}
    assert await intake.count(QueuedEvent) == 0
    [failure] = await intake.rows(IntakeFailure)
    assert failure.contact_id == contact
    assert failure.reason.startswith("Invalid: The declaration of consent cannot be recorded.")
    [told] = [event for event in await intake.rows(Event) if event.event_id == "poison"]
    assert failure.sequence == told.sequence


async def test_an_event_set_aside_can_be_taken_up_again(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.tell(contact, "consent.granted", {"purpose": "world-domination"})
    async with intake.sessions.begin() as session:  # as if a later version knew what to make of it
        await session.execute(text('UPDATE events SET properties = \'{"purpose": "sales"}\''))
        assert await take_up_again(session) == 1

    assert await intake.apply() == 1

    assert await intake.count(IntakeFailure) == 0


async def test_a_contact_somebody_has_locked_is_left_out_and_taken_when_it_is_free(intake: Intake) -> None:
    contact, other = await intake.contact(), await intake.contact()
    async with running(intake):
        async with intake.sessions.begin() as session:
            assert await claims.claim_contact(session, contact)
            await intake.accept(contact, "page.viewed")
            await intake.accept(other, "page.viewed")

            async def only_the_locked_one_waits() -> bool:
                return [row.contact_id for row in await intake.rows(QueuedEvent)] == [contact]

            await eventually(only_the_locked_one_waits)

        await eventually(empty_queue(intake))


async def test_events_of_an_erased_contact_leave_the_queue(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.accept(contact, "page.viewed")
    async with intake.sessions.begin() as session:
        await session.delete(await session.get_one(Contact, contact))

    async with running(intake):
        await eventually(empty_queue(intake))


async def test_consumers_whose_connections_are_cut_go_on_by_themselves(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish()
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'dauerlauf%%'"
    async with (
        await psycopg.AsyncConnection.connect(intake.database_url, autocommit=True) as other,
        running(intake, consumers=2),
    ):
        await intake.accept(contact, "page.viewed")
        await eventually(empty_queue(intake))

        await other.execute(cut)
        with suppress(Exception):
            await intake.count(Event)  # the test's own pool learns of it
        await intake.accept(contact, "order.placed")
        await eventually(empty_queue(intake))

    assert len(await intake.enrollments()) == 1


DYING = """
import asyncio, os, signal, sys
from sqlalchemy import event
from intake.consumer import IntakeConsumer
from kit.database import create_engine, create_sessions
from kit.settings import Settings

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

engine = create_engine(Settings(database_url=sys.argv[1]))
if sys.argv[2] == "before-commit":
    event.listen(engine.sync_engine, "commit", die)
clock = die if sys.argv[2] == "after-claim" else None
consumer = IntakeConsumer(create_sessions(engine), sys.argv[1], *([clock] if clock else []))
asyncio.run(consumer.drain())
"""


@pytest.mark.parametrize("moment", ["after-claim", "before-commit"])
async def test_a_killed_consumer_leaves_nothing_half_done(intake: Intake, moment: str) -> None:
    contact = await intake.contact()
    await intake.publish()
    await intake.accept(contact, "contact.identified", {"plan": "pro"})
    await intake.accept(contact, "order.placed", ago=timedelta(hours=1))
    await intake.accept(contact, "review.created")

    dead = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", DYING, intake.database_url, moment], check=False
    )

    assert dead.returncode == -signal.SIGKILL
    await eventually(intake.is_released)
    assert await intake.count(QueuedEvent) == 3
    assert (await intake.enrollments(), await intake.outbox()) == ([], [])

    assert await intake.apply() == 5  # with `contact.updated` and `journey.goal_met`, which follow from them
    assert [kind for kind, _, _ in await intake.outbox()] == ["start", "deliver"]
