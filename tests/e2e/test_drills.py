"""Crash drills on the stack as `dauerlauf up` runs it: whatever is killed, what was acknowledged takes effect once.

Nothing here knows in the middle of what a process dies; that is the point: what is checked must hold after any death.
The two moments that matter most for mail are met on purpose: a frozen inbox holds messages in mid-air.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase

from cli.stack.supervisor import RestartPolicy
from crm.models.enrollment import Enrollment
from crm.models.event import QueuedEvent
from crm.models.task import Task
from journeys.outcomes import JourneyState
from messaging.models import MessageRecord, MessageState
from tests.support.books import Books, close_books, orphans_handed_back, rows, settle
from tests.support.crowd import Crowd
from tests.support.drilled import carried_out, due_times, ends_told, let_in, order, standing
from tests.support.stack import LiveStack, found, live_stack

pytestmark = [pytest.mark.xdist_group("drills"), pytest.mark.timeout(300)]

# Parts come back soon, but not at once: there shall be a time without them.
_POLICY = RestartPolicy(first_delay=0.5, longest_delay=1.0, quick_failures=100)
_KILLED = ("Worker", "API", "Temporal", "PostgreSQL")


@pytest_asyncio.fixture(scope="module")
async def live() -> AsyncIterator[LiveStack]:
    """Temporal keeps its state in a file, as under `dauerlauf up`."""
    async with live_stack(temporal_in_memory=False, policy=_POLICY) as stack:
        yield stack


@asynccontextmanager
async def frozen(live: LiveStack, name: str) -> AsyncIterator[None]:
    """A part that lives and does nothing, as seen from outside: a network that swallows everything."""
    await live.signal(name, signal.SIGSTOP)
    try:
        yield
    finally:
        await live.signal(name, signal.SIGCONT)


@asynccontextmanager
async def held_up(live: LiveStack, table: type[DeclarativeBase]) -> AsyncIterator[None]:
    """While entered, whoever wants to write to a table waits."""
    async with live.sessions.begin() as session:
        await session.execute(text(f"LOCK TABLE {table.__tablename__} IN SHARE MODE"))
        yield


async def waiting_for_locks(live: LiveStack, count: int) -> None:
    """Returns once so many transactions wait for another one."""

    async def look() -> bool | None:
        async with live.sessions() as session:
            waiting = await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        return waiting == count or None

    await found(look, what=lambda: f"{count} transactions waiting")


async def reached(crowd: Crowd, count: int, *states: MessageState) -> None:
    """Returns once so many of the crowd's messages are in one of these states."""

    async def look() -> bool | None:
        try:
            messages = await rows(crowd, MessageRecord, MessageRecord.state)
        except DBAPIError:
            return None
        return sum(state in states for _, state in messages) >= count or None

    await found(look, what=lambda: f"{count} messages {states}")


def assert_everything_happened_once(crowd: Crowd, books: Books) -> None:
    """All that must hold after any crash; about mails, see `assert_no_mail_left_twice`."""
    assert books.failures == []
    assert books.events == dict.fromkeys(crowd.message_ids, 1)
    assert books.points == {person.user_id: person.points for person in crowd.people}
    assert books.reasons == books.points
    expected = [(person.user_id, *journey) for person in crowd.people for journey in person.journeys.items()]
    assert books.enrollments == sorted(expected)
    statuses = Counter("RUNNING" if state == JourneyState.WAITING else "COMPLETED" for _, _, state in expected)
    assert Counter(", ".join(runs) for runs in books.workflows.values()) == statuses


def assert_no_mail_left_twice(crowd: Crowd, books: Books) -> None:
    """One message per mail that is due; one that is known to have left is in the inbox once, a doubtful one at most."""
    due = [(person.user_id, "welcome") for person in crowd.people]
    due += [(person.user_id, "loyal-customer") for person in crowd.people if person.is_loyal]
    assert sorted((user_id, template) for user_id, template, _ in books.messages.values()) == sorted(due)
    assert books.mails.keys() <= books.messages.keys()
    for message_id, (_, _, state) in books.messages.items():
        allowed = {MessageState.HANDED_OVER: {1}, MessageState.UNKNOWN: {0, 1}}
        assert books.mails[message_id] in allowed[MessageState(state)]


async def kill_while_posting(crowd: Crowd) -> None:
    order = ("Worker", "API", "PostgreSQL")
    for place, name in enumerate(order, start=1):
        await crowd.has_posted(place / (len(order) + 1))
        await crowd.live.kill(name)


async def kill_while_sending(crowd: Crowd) -> None:
    order = ("Worker", "Temporal")
    for place, name in enumerate(order, start=1):
        await reached(crowd, crowd.size * place // (len(order) + 1), *MessageState)
        await crowd.live.kill(name)
    await reached(crowd, crowd.size * 9 // 10, *MessageState)
    for name in _KILLED:  # all at once: the power fails
        await crowd.live.kill(name)


async def test_whatever_is_killed_every_acknowledged_event_takes_effect_once(live: LiveStack) -> None:
    crowd = Crowd(live, 60)
    async with orphans_handed_back(crowd):
        await asyncio.gather(crowd.post(), kill_while_posting(crowd), kill_while_sending(crowd))
        await settle(crowd)
    books = await close_books(crowd)
    assert_everything_happened_once(crowd, books)
    assert_no_mail_left_twice(crowd, books)


async def test_messages_in_the_hands_of_a_killed_worker_stay_unsent_and_say_so(live: LiveStack) -> None:
    crowd = Crowd(live, 4)
    async with frozen(live, "Inbox"):
        await crowd.post()
        await reached(crowd, crowd.size, MessageState.HANDING_OVER)
        await live.kill("Worker")
    async with orphans_handed_back(crowd):
        await settle(crowd)
    books = await close_books(crowd)
    assert_everything_happened_once(crowd, books)
    welcomes = [state for _, template, state in books.messages.values() if template == "welcome"]
    assert welcomes == [MessageState.UNKNOWN] * crowd.size
    assert_no_mail_left_twice(crowd, books)


async def test_mail_that_leaves_while_the_database_dies_is_not_sent_again(live: LiveStack) -> None:
    crowd = Crowd(live, 4)
    async with frozen(live, "Inbox"):
        await crowd.post()
        await reached(crowd, crowd.size, MessageState.HANDING_OVER)
        await live.kill("PostgreSQL")
    await settle(crowd)
    books = await close_books(crowd)
    assert_everything_happened_once(crowd, books)
    assert books.mails == dict.fromkeys(books.messages, 1)
    assert_no_mail_left_twice(crowd, books)


async def test_events_are_accepted_while_temporal_is_away_and_catch_up_when_it_is_back(live: LiveStack) -> None:
    crowd = Crowd(live, 8)
    async with frozen(live, "Temporal"):
        await crowd.post()
        assert crowd.answers.keys() == {"200"}

        async def applied() -> bool | None:
            return None if await rows(crowd, QueuedEvent, QueuedEvent.sequence) else True

        await found(applied, what=lambda: "every event applied")
        waiting = await rows(crowd, Enrollment, Enrollment.state)
        assert {state for _, state in waiting} == {JourneyState.STARTING}
    await settle(crowd)
    books = await close_books(crowd)
    assert_everything_happened_once(crowd, books)
    assert set(books.mails.values()) == {1}
    assert_no_mail_left_twice(crowd, books)


async def interrupted(crowd: Crowd, action: str, **how: Any) -> dict[str, Any]:
    """Order it, and kill the worker whose calls to Temporal are in mid-air; what it had sent arrives nevertheless."""
    async with frozen(crowd.live, "Temporal"):
        await order(crowd, action, **how)
        await crowd.live.kill("Worker")
    return await carried_out(crowd)


async def test_a_whole_journey_is_steered_to_the_last_contact_though_the_worker_dies_over_it(live: LiveStack) -> None:
    crowd = Crowd(live, 20)
    await let_in(crowd)
    due = await due_times(crowd)

    paused = await interrupted(crowd, "pause")
    assert (paused["carried"], paused["refused"], paused["gone"]) == (crowd.size, 0, 0)
    assert await standing(crowd, JourneyState.PAUSED) == {""}

    await order(crowd, "resume")
    resumed = await carried_out(crowd)
    assert (resumed["carried"], resumed["refused"], resumed["gone"]) == (crowd.size, 0, 0)
    assert await standing(crowd, JourneyState.WAITING) == {""}
    assert await due_times(crowd) == due, "each wait goes on to its own end"

    stopped = await interrupted(crowd, "stop", inside="stop", reason="drill")
    # Who was ended by what the dead worker had sent is found gone by the next one.
    assert (stopped["carried"] + stopped["gone"], stopped["refused"]) == (crowd.size, 0)
    (outcome,) = await standing(crowd, JourneyState.EXITED)
    assert outcome.endswith(": drill")
    await settle(crowd)
    assert await ends_told(crowd) == dict.fromkeys((person.user_id for person in crowd.people), 1)
    books = await close_books(crowd)
    assert Counter(", ".join(runs) for runs in books.workflows.values()) == {"COMPLETED": crowd.size}
    assert books.failures == []


async def test_an_end_is_told_once_though_its_writer_dies_before_temporal_hears_of_it(live: LiveStack) -> None:
    crowd = Crowd(live, 4)
    await let_in(crowd)
    async with held_up(live, Task):  # the transactions that write the ends, and nothing else
        await order(crowd, "stop", inside="stop", reason="drill")
        await waiting_for_locks(live, crowd.size)
        await live.signal("Temporal", signal.SIGSTOP)
    await standing(crowd, JourneyState.EXITED)
    await live.kill("Worker")
    await live.signal("Temporal", signal.SIGCONT)
    await settle(crowd)
    books = await close_books(crowd)
    assert Counter(", ".join(runs) for runs in books.workflows.values()) == {"COMPLETED": crowd.size}
    assert await ends_told(crowd) == dict.fromkeys((person.user_id for person in crowd.people), 1)


async def test_without_postgresql_the_api_says_503_and_keeps_what_it_acknowledged(live: LiveStack) -> None:
    crowd = Crowd(live, 8)
    posting = asyncio.create_task(crowd.post())
    await crowd.has_posted(0.3)
    await live.kill("PostgreSQL")
    await posting
    assert crowd.answers["503"] > 0  # each was looked at: a problem document, and nothing else
    assert crowd.answers.keys() == {"200", "503"}
    await settle(crowd)
    books = await close_books(crowd)
    assert_everything_happened_once(crowd, books)
    assert_no_mail_left_twice(crowd, books)


async def test_the_file_temporal_keeps_its_state_in_names_nobody(live: LiveStack) -> None:
    crowd = Crowd(live, 2)
    await crowd.post()
    await settle(crowd)
    content = b"".join(file.read_bytes() for file in live.directory.glob("temporal.sqlite*"))
    (contact_id, *_) = [row[1] for row in await rows(crowd, Enrollment, Enrollment.contact_id)]
    assert str(contact_id).encode() in content  # so this is where things would be
    assert b"@customers.example" not in content
    assert b"Ada" not in content
