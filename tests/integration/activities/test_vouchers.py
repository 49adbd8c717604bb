"""Vouchers that go out with messages: one per message, none where none leaves, and never one code twice."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from temporalio.exceptions import ApplicationError

from activities.messages import MessagingActivities
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.voucher import VoucherRecord
from crm.vouchers import UnknownVoucher, VoucherRepository
from journeys.former_names import FormerName
from journeys.frequency import ALWAYS
from journeys.outcomes import RefusalReason, SendStatus
from journeys.values import MessageChannel
from journeys.vouchers import MessageVoucher, VoucherPool
from kit.database import Sessions
from kit.settings import Settings
from messaging.channels.base import NotSent
from tests.support.messaging import NOON, Passage, RecordingChannel, TestClock, a_passage

GIFT = {"template": "voucher", "step": "gift", "voucher": MessageVoucher(pool="gifts", valid=timedelta(days=30))}
NIGHT = datetime(2026, 6, 2, 23, tzinfo=UTC)
WORKING_HOURS = {"days": "mon-fri", "from": "08:00", "to": "20:00"}


def activities(sessions: Sessions, channel: RecordingChannel, *, now: datetime = NOON) -> MessagingActivities:
    return MessagingActivities(sessions, {MessageChannel.EMAIL: channel}, Settings(), TestClock(now))


async def a_pool(sessions: Sessions, *codes: str, limit: int | None = None) -> None:
    async with sessions.begin() as session:
        pool = VoucherPool(key="gifts", value="10 %", prefix="GIFT", limit=limit)
        await VoucherRepository(session).put_pool(pool, codes=codes or None)


async def vouchers(sessions: Sessions) -> list[VoucherRecord]:
    async with sessions() as session:
        given = select(VoucherRecord).where(VoucherRecord.issued_at.is_not(None))
        return list(await session.scalars(given.order_by(VoucherRecord.code)))


@pytest.mark.parametrize(("contacts", "journeys"), [("America/New_York", "Asia/Tokyo"), (None, "America/New_York")])
async def test_the_code_in_the_mail_is_the_one_that_was_issued(
    sessions: Sessions, contacts: str | None, journeys: str
) -> None:
    await a_pool(sessions)
    passage, channel = await a_passage(sessions, time_zone=contacts), RecordingChannel()
    request = passage.request(**GIFT, time_zone=journeys)
    receipt = await activities(sessions, channel).send_message(request)
    assert receipt.status is SendStatus.SENT
    (voucher,) = await vouchers(sessions)
    assert voucher.code in channel.sent[0].text
    assert "valid until 2 July 2026" in channel.sent[0].text
    assert (voucher.contact_id, voucher.step, voucher.issued_at) == (passage.contact.id, "gift", NOON)
    assert voucher.expires_at == datetime(2026, 7, 3, 3, 59, 59, tzinfo=UTC)  # the end of 2 July in New York


async def test_a_message_asked_for_again_has_the_same_voucher(sessions: Sessions) -> None:
    await a_pool(sessions)
    passage, channel = await a_passage(sessions), RecordingChannel()

    async def away(_: object) -> None:
        raise NotSent("away")

    channel.behave = away  # type: ignore[assignment]
    with pytest.raises(ApplicationError):
        await activities(sessions, channel).send_message(passage.request(**GIFT))
    channel.behave = None
    await activities(sessions, channel).send_message(passage.request(**GIFT))
    (voucher,) = await vouchers(sessions)
    assert all(voucher.code in sent.text for sent in channel.sent)
    assert len(channel.sent) == 2


@pytest.mark.parametrize("codes", [(), ("ONE",)], ids=["generated", "imported"])
async def test_where_the_gate_refuses_or_defers_no_code_is_used_up(sessions: Sessions, codes: tuple[str, ...]) -> None:
    await a_pool(sessions, *codes)
    without = await a_passage(sessions, consents=())
    sender = activities(sessions, RecordingChannel(), now=NIGHT)
    assert (await sender.send_message(without.request(**GIFT))).status is SendStatus.REFUSED
    passage = await a_passage(sessions)
    closed = passage.request(**GIFT, window=WORKING_HOURS, now=NIGHT)
    assert (await sender.send_message(closed)).status is SendStatus.DEFERRED
    assert await vouchers(sessions) == []


@pytest.mark.parametrize(("codes", "limit"), [(("ONE", "TWO"), None), ((), 2)], ids=["imported", "limited"])
async def test_many_at_once_get_each_a_code_of_their_own_and_the_rest_is_told(
    sessions: Sessions, codes: tuple[str, ...], limit: int | None
) -> None:
    await a_pool(sessions, *codes, limit=limit)
    passages = [await a_passage(sessions) for _ in range(5)]
    sender = activities(sessions, RecordingChannel())
    receipts = await asyncio.gather(*(sender.send_message(passage.request(**GIFT)) for passage in passages))
    assert [receipt.refusal for receipt in receipts].count(RefusalReason.SOLD_OUT) == 3
    given = await vouchers(sessions)
    assert len({voucher.code for voucher in given}) == len({voucher.contact_id for voucher in given}) == 2


async def test_attempts_of_one_message_at_once_issue_one_voucher(sessions: Sessions) -> None:
    await a_pool(sessions, "ONE", "TWO", "THREE")
    passage = await a_passage(sessions)
    sender = activities(sessions, RecordingChannel())
    await asyncio.gather(*(sender.send_message(passage.request(**GIFT)) for _ in range(3)))
    assert len(await vouchers(sessions)) == 1


REMINDER: dict[str, Any] = {"template": "voucher", "step": "reminder", "repeat": ALWAYS}
"""The template that brought the code, once more, however soon."""


@pytest.mark.parametrize("codes", [(), ("GIFT-1",)])
async def test_a_test_run_brings_a_made_up_code_and_takes_none_from_the_pool(
    sessions: Sessions, codes: tuple[str, ...]
) -> None:
    await a_pool(sessions, *codes, limit=1)
    first, second = await a_tester(sessions), await a_tester(sessions)
    for passage in (first, second):
        channel = RecordingChannel()
        for request in (GIFT, {**GIFT, "step": "reminder", "voucher": MessageVoucher(of="gift"), "repeat": "always"}):
            await activities(sessions, channel).send_message(passage.request(**request))
        (code,) = {found for mail in channel.sent for found in re.findall(r"TEST-GIFT-\w{5}-\w{5}", mail.text)}
        assert len(channel.sent) == 2, "the reminder is about the same code"
    async with sessions.begin() as session:
        (pool,) = await VoucherRepository(session).standing("gifts")
        with pytest.raises(UnknownVoucher, match="made up for a test run"):
            await VoucherRepository(session).redeem(code, "order-1", now=NOON)
    assert (pool.issued, pool.left) == (0, 1)

    receipt = await activities(sessions, RecordingChannel()).send_message((await a_passage(sessions)).request(**GIFT))
    assert receipt.status is SendStatus.SENT, "the only code is still there"


async def a_tester(sessions: Sessions) -> Passage:
    """A test user in a draft."""
    passage = await a_passage(sessions)
    async with sessions.begin() as session:
        await session.execute(
            update(Contact).where(Contact.id == passage.contact.id).values(test_address=Contact.email)
        )
        await session.execute(update(Enrollment).where(Enrollment.id == passage.enrollment.id).values(tested_draft=2))
    return passage


class TestAReminder:
    """A later message about the voucher of an earlier step."""

    async def reminded(self, sessions: Sessions, passage: Passage, *, at: datetime = NOON) -> RecordingChannel:
        channel = RecordingChannel()
        about = {"template": "voucher", "step": "reminder", "voucher": MessageVoucher(of="gift"), "repeat": "always"}
        receipt = await activities(sessions, channel, now=at).send_message(passage.request(**about, now=at))
        assert (receipt.refusal is RefusalReason.NO_VOUCHER) is not bool(channel.sent)
        return channel

    async def given(self, sessions: Sessions) -> Passage:
        await a_pool(sessions)
        passage = await a_passage(sessions)
        await activities(sessions, RecordingChannel()).send_message(passage.request(**GIFT))
        return passage

    async def test_prints_the_same_code(self, sessions: Sessions) -> None:
        passage = await self.given(sessions)
        channel = await self.reminded(sessions, passage)
        (voucher,) = await vouchers(sessions)
        assert voucher.code in channel.sent[0].text

    async def test_prints_it_also_where_the_step_was_renamed_meanwhile(self, sessions: Sessions) -> None:
        passage = await self.given(sessions)
        channel, after = RecordingChannel(), NOON + timedelta(hours=1)
        about = REMINDER | {"voucher": MessageVoucher(of="present")}
        moved = {"former": {"present": [FormerName(name="gift", until=after)]}}
        await activities(sessions, channel, now=after).send_message(passage.request(**about, **moved, now=after))
        (voucher,) = await vouchers(sessions)
        assert voucher.code in channel.sent[0].text

    async def test_is_not_about_the_voucher_of_a_step_that_had_the_name_before(self, sessions: Sessions) -> None:
        passage = await self.given(sessions)
        channel, after = RecordingChannel(), NOON + timedelta(hours=1)
        about = REMINDER | {"voucher": MessageVoucher(of="gift")}
        moved = {
            "former": {
                "gift": [FormerName(name="first", until=after)],
                "second": [FormerName(name="gift", until=after)],
            }
        }
        receipt = await activities(sessions, channel, now=after).send_message(
            passage.request(**about, **moved, now=after)
        )
        assert (receipt.refusal, channel.sent) == (RefusalReason.NO_VOUCHER, [])

    async def test_is_not_sent_where_none_was_issued(self, sessions: Sessions) -> None:
        await a_pool(sessions)
        assert (await self.reminded(sessions, await a_passage(sessions))).sent == []

    async def test_is_not_sent_once_the_voucher_has_expired(self, sessions: Sessions) -> None:
        passage = await self.given(sessions)
        assert (await self.reminded(sessions, passage, at=NOON + timedelta(days=32))).sent == []

    @pytest.mark.parametrize("what", ["redeemed_at", "revoked_at"])
    async def test_is_not_sent_once_it_was_used_or_taken_back(self, sessions: Sessions, what: str) -> None:
        passage = await self.given(sessions)
        async with sessions.begin() as session:
            await session.execute(update(VoucherRecord).values({what: NOON}))
        assert (await self.reminded(sessions, passage)).sent == []


async def test_an_unknown_pool_needs_a_person(sessions: Sessions) -> None:
    passage = await a_passage(sessions)
    with pytest.raises(ApplicationError, match="no voucher pool 'gifts'") as raised:
        await activities(sessions, RecordingChannel()).send_message(passage.request(**GIFT))
    assert raised.value.non_retryable
