"""A stop or a pause that is ordered holds back what has not left yet, and counts what has."""

from datetime import timedelta

import pytest

from activities.messages import MessagingActivities
from crm.steering import Operator, SteeringRepository
from journeys.migration import Inside
from journeys.outcomes import RefusalReason, SendStatus
from journeys.values import MessageChannel
from kit.clock import wall_clock
from kit.database import Sessions
from kit.settings import Settings
from messaging.models import MessageClass, MessageRecord
from messaging.recall import beyond_recall
from messaging.transitions import LedgerEvent
from tests.integration.messaging.test_ledger import claimed, settled
from tests.support.messaging import NOON, RecordingChannel, TestClock, a_passage

KEY = "welcome-test"
ADA = Operator("ada")


def sender(sessions: Sessions, channel: RecordingChannel) -> MessagingActivities:
    return MessagingActivities(sessions, {MessageChannel.EMAIL: channel}, Settings(), TestClock())


async def test_nothing_leaves_once_those_inside_are_to_be_ended_though_they_were_not_told_yet(
    sessions: Sessions,
) -> None:
    passage, channel = await a_passage(sessions), RecordingChannel()
    async with sessions.begin() as session:
        await SteeringRepository(session).stop(KEY, ADA, Inside.STOP)
    receipt = await sender(sessions, channel).send_message(passage.request())
    assert (receipt.status, receipt.refusal) == (SendStatus.REFUSED, RefusalReason.ENROLLMENT_ENDED)
    assert not channel.sent


async def test_those_who_finish_get_their_messages(sessions: Sessions) -> None:
    passage, channel = await a_passage(sessions), RecordingChannel()
    async with sessions.begin() as session:
        await SteeringRepository(session).stop(KEY, ADA, Inside.FINISH)
    assert (await sender(sessions, channel).send_message(passage.request())).status is SendStatus.SENT


@pytest.mark.parametrize("template", ["welcome", "order-confirmation"])
async def test_a_message_of_a_paused_journey_asks_again_later(sessions: Sessions, template: str) -> None:
    passage, channel = await a_passage(sessions), RecordingChannel()
    async with sessions.begin() as session:
        await SteeringRepository(session).pause(KEY, ADA)
    receipt = await sender(sessions, channel).send_message(passage.request(template=template))
    assert (receipt.status, receipt.until) == (SendStatus.DEFERRED, NOON + timedelta(minutes=5))
    assert not channel.sent


@pytest.mark.parametrize(
    ("after_claim", "counted"),
    [(None, 1), (LedgerEvent.ACCEPTED, 1), (LedgerEvent.UNCERTAIN, 1), (LedgerEvent.REJECTED, 0)],
)
async def test_what_a_carrier_has_or_may_have_counts_as_beyond_recall(
    sessions: Sessions, after_claim: LedgerEvent | None, counted: int
) -> None:
    passage = await a_passage(sessions)
    claim = await claimed(sessions, passage, MessageClass.MARKETING)
    since = wall_clock()
    if after_claim is not None:
        await settled(sessions, claim, after_claim)
        async with sessions.begin() as session:
            record = await session.get_one(MessageRecord, claim.message_id)
            record.settled_at = since + timedelta(seconds=1)
    async with sessions() as session:
        assert await beyond_recall(session, KEY, since) == counted


async def test_what_had_left_long_before_is_not_counted(sessions: Sessions) -> None:
    passage = await a_passage(sessions)
    await settled(sessions, await claimed(sessions, passage, MessageClass.MARKETING), LedgerEvent.ACCEPTED)
    async with sessions() as session:
        assert await beyond_recall(session, KEY, wall_clock()) == 0
