"""The pace of a provider from end to end: who leaves, who is promised a turn, and what many workers at once do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.messages import MessagingActivities
from crm.consent import ConsentRepository
from crm.models.enrollment import Enrollment
from crm.tryouts import TryoutRepository
from journeys.frequency import AtCap
from journeys.outcomes import RefusalReason, SendStatus
from journeys.values import MessageChannel
from kit.database import Sessions, create_engine_beside
from kit.settings import Settings
from messaging.channels.base import Accepted, NotSent, Outgoing
from messaging.holding import held_back
from messaging.lines import ProviderLines
from messaging.models import PromisedTurn, ProviderLine
from messaging.pace import Line, Pace, Question, answer
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment
from tests.support.messaging import NOON, Passage, RecordingChannel, TestClock, a_passage, a_template
from workflows.ports import SendReceipt

SECOND = timedelta(seconds=1)


@dataclass
class Shop:
    """A contact who is written to at the pace of a mail a second, with no cap unless the settings say otherwise."""

    sessions: Sessions
    passage: Passage
    channel: RecordingChannel = field(default_factory=lambda: RecordingChannel("smtp"))
    clock: TestClock = field(default_factory=TestClock)

    async def send(self, step: str, after: timedelta = timedelta(), *, under: Any = None, **asked: Any) -> SendReceipt:
        """Ask for the mail of a step so long after noon, on every clock."""
        self.clock.now = NOON + after
        given = Settings(**{"smtp_per_second": 1, "weekly_cap": 0, "repeat_after_hours": 0, **(under or {})})
        sending = MessagingActivities(self.sessions, {MessageChannel.EMAIL: self.channel}, given, self.clock)
        asked.setdefault("template", "news")
        try:
            return await sending.send_message(self.passage.request(step=step, now=self.clock.now, **asked))
        finally:
            await sending.close()

    async def filled(self) -> None:
        """Let as many mails leave as may at noon."""
        for step in ("first", "second"):
            assert (await self.send(step)).status is SendStatus.SENT

    async def free(self) -> timedelta | None:
        """How long after noon the provider has room again; None where nobody has counted anything."""
        async with self.sessions() as session:
            line = await session.get(ProviderLine, "smtp")
        return line.free - NOON if line is not None else None

    async def turns(self) -> int:
        async with self.sessions() as session:
            return await session.scalar(select(func.count()).select_from(PromisedTurn)) or 0


@pytest_asyncio.fixture
async def shop(sessions: Sessions) -> AsyncIterator[Shop]:
    passage = await a_passage(sessions, time_zone="UTC")
    await a_template(sessions, "news", message_class="marketing")
    await a_template(sessions, "receipt")
    yield Shop(sessions, passage)


async def test_a_mail_too_many_is_promised_a_turn_that_is_told_and_kept(shop: Shop) -> None:
    await shop.filled()

    waits = await shop.send("third")

    because = "Its turn is at 2026-06-02 10:00:02 UTC: smtp takes 1 mail a second."
    assert waits.status is SendStatus.DEFERRED
    assert (waits.until, waits.exact, waits.waits_for, waits.because) == (NOON + 2 * SECOND, True, "its turn", because)
    async with shop.sessions.begin() as session:
        (await session.get_one(Enrollment, shop.passage.enrollment.id)).step = "third"
    async with shop.sessions() as session:
        [told] = await held_back(session, shop.passage.contact.id)
    assert (told.until, told.because) == (waits.until, because)
    assert (await shop.send("fourth")).until == NOON + 3 * SECOND
    assert (await shop.send("third")).until == NOON + 2 * SECOND, "who asks too early keeps its turn"
    assert (await shop.send("third", 2 * SECOND)).status is SendStatus.SENT
    assert (await shop.send("fourth", 3 * SECOND)).status is SendStatus.SENT
    assert await shop.turns() == 0


async def test_without_a_pace_nobody_asks_the_database_for_one(shop: Shop, engine: AsyncEngine) -> None:
    asked: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *execution: asked.append(execution[2]))

    assert (await shop.send("first", under={"smtp_per_second": 0})).status is SendStatus.SENT
    assert asked
    assert not [statement for statement in asked if "provider_lines" in statement or "promised_turns" in statement]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"window": {"from": "12:00", "to": "14:00"}}, SendStatus.DEFERRED),
        ({"under": {"weekly_cap": 1}, "cap": AtCap.SKIP}, SendStatus.REFUSED),
    ],
    ids=["the window is shut", "the cap is full"],
)
async def test_what_does_not_leave_for_another_reason_takes_no_turn(
    shop: Shop, asked: dict[str, Any], status: SendStatus
) -> None:
    await shop.send("first")
    counted = await shop.free()

    assert (await shop.send("second", 10 * SECOND, **asked)).status is status
    assert (counted, await shop.free(), await shop.turns()) == (SECOND, SECOND, 0)


async def test_a_test_run_is_written_to_at_the_pace_too(shop: Shop) -> None:
    async with shop.sessions.begin() as session:
        (await session.get_one(Enrollment, shop.passage.enrollment.id)).tested_draft = 1
        await TryoutRepository(session).mark(shop.passage.contact.id, test_user=True)
    await shop.filled()

    assert (await shop.send("third")).until == NOON + 2 * SECOND
    assert (await shop.send("third", 2 * SECOND)).status is SendStatus.SENT
    assert (await shop.turns(), len(shop.channel.sent)) == (0, 3)


async def test_who_is_held_out_takes_no_turn(shop: Shop) -> None:
    async with shop.sessions.begin() as session:
        (await session.get_one(Enrollment, shop.passage.enrollment.id)).holdout = True

    assert (await shop.send("first")).refusal is RefusalReason.HOLDOUT
    assert await shop.free() is None


async def test_a_receipt_never_waits_and_the_others_make_room_for_it(shop: Shop) -> None:
    await shop.filled()
    receipts = [await shop.send(f"receipt-{number}", template="receipt") for number in range(3)]

    assert {receipt.status for receipt in receipts} == {SendStatus.SENT}
    assert (await shop.send("third")).until == NOON + 5 * SECOND


async def test_a_mail_whose_turn_comes_too_late_is_refused_at_once_and_leaves_its_turn_to_others(shop: Shop) -> None:
    await shop.filled()

    late = await shop.send("third", expires_at=NOON + SECOND)

    assert (late.status, late.refusal) == (SendStatus.REFUSED, RefusalReason.OVERDUE)
    assert late.because.endswith("1 mail a second. The message is of no use then.")
    assert (await shop.send("fourth")).until == NOON + 2 * SECOND


async def test_a_turn_in_the_night_waits_for_the_window_and_goes_then_without_queueing_again(shop: Shop) -> None:
    await shop.filled()
    assert (await shop.send("third")).until == NOON + 2 * SECOND

    closed = await shop.send("third", 2 * SECOND, window={"from": "08:00", "to": "10:00"})
    assert closed.until == NOON + timedelta(hours=22)
    assert await shop.turns() == 1
    assert (await shop.send("third", timedelta(hours=22))).status is SendStatus.SENT


async def test_a_hand_over_that_failed_is_counted_again_when_it_is_tried_again(shop: Shop) -> None:
    async def busy(_: Outgoing) -> Accepted:
        raise NotSent("the provider is busy")

    shop.channel.behave = busy
    with pytest.raises(Exception, match="the provider is busy"):
        await shop.send("first")
    shop.channel.behave = None

    assert (await shop.send("first")).status is SendStatus.SENT
    assert await shop.free() == 2 * SECOND


async def test_eight_connections_at_once_promise_no_turn_twice_and_lose_none(sessions: Sessions) -> None:
    mails, per_second = 32, 4
    await a_template(sessions, "news", message_class="marketing")
    passages = await _passages(sessions, mails)
    channel = RecordingChannel("smtp")
    paced = Settings(smtp_per_second=per_second, weekly_cap=0)
    sending = MessagingActivities(sessions, {MessageChannel.EMAIL: channel}, paced, TestClock())

    receipts = await asyncio.gather(*(sending.send_message(one.request(template="news")) for one in passages))

    at_once = [receipt for receipt in receipts if receipt.status is SendStatus.SENT]
    turns = sorted(receipt.until for receipt in receipts if receipt.until is not None)
    assert len(at_once) == len(channel.sent) == per_second + 1
    assert turns == [NOON + SECOND + number * SECOND / per_second for number in range(1, mails - per_second)]
    await sending.close()


INSTANTS = st.integers(-14_000, 14_000).map(lambda number: NOON + number * SECOND / 1000)
LINES = st.builds(Line, INSTANTS, INSTANTS)
QUESTIONS = st.builds(
    Question, st.just(NOON), st.none() | INSTANTS, st.sampled_from([True, True, True, False]), st.none() | INSTANTS
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(LINES, QUESTIONS), min_size=4, max_size=8), st.sampled_from([Pace(0.3), Pace(3), Pace(100)]))
async def test_the_statement_answers_as_the_rules_do(
    sessions: Sessions, asked: list[tuple[Line, Question]], pace: Pace
) -> None:
    async with aclosing(ProviderLines(create_engine_beside(sessions))) as lines:
        for line, question in asked:
            async with sessions.begin() as session:
                await session.execute(delete(ProviderLine))
                session.add(ProviderLine(provider="smtp", **vars(line)))
            assert await lines.ask("smtp", question, pace) == answer(line, question, pace)
            async with sessions() as session:
                row = await session.get_one(ProviderLine, "smtp")
            assert Line(row.promised, row.free) == answer(line, question, pace).line


async def _passages(sessions: Sessions, number: int) -> list[Passage]:
    async with sessions.begin() as session:
        version = await a_live_journey(session)
        found = []
        for _ in range(number):
            contact = await a_contact(session, locale="en")
            found.append(Passage(contact, await an_enrollment(session, contact.id, version)))
            await ConsentRepository(session).record(
                contact.id, purpose="marketing", channel="email", state="granted", source="test", occurred_at=SOME_DAY
            )
    return found
