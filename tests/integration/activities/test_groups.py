"""Holdout and control group at the gate: refused on what is stored and set, recorded, and never sent."""

from typing import Any

import pytest

from activities.messages import MessagingActivities
from crm.models.enrollment import Enrollment
from journeys.outcomes import RefusalReason, SendStatus
from journeys.values import MessageChannel
from kit.database import Sessions
from kit.settings import Settings
from tests.support.messaging import Passage, RecordingChannel, TestClock, a_passage, a_template
from workflows.ports import SendReceipt


async def send(sessions: Sessions, passage: Passage, template: str = "welcome", **settings: Any) -> SendReceipt:
    channel = RecordingChannel()
    activities = MessagingActivities(sessions, {MessageChannel.EMAIL: channel}, Settings(**settings), TestClock())
    receipt = await activities.send_message(passage.request(template=template))
    assert bool(channel.sent) == (receipt.status is SendStatus.SENT)
    return receipt


async def hold_out(sessions: Sessions, passage: Passage) -> None:
    async with sessions.begin() as session:
        (await session.get_one(Enrollment, passage.enrollment.id)).holdout = True


async def test_a_held_out_contact_gets_no_marketing_mail(sessions: Sessions) -> None:
    passage = await a_passage(sessions)
    await hold_out(sessions, passage)
    receipt = await send(sessions, passage)
    assert (receipt.status, receipt.refusal) == (SendStatus.REFUSED, RefusalReason.HOLDOUT)
    assert receipt.because == "The contact is in the journey's holdout."


async def test_a_held_out_contact_gets_its_receipt(sessions: Sessions) -> None:
    passage = await a_passage(sessions)
    await hold_out(sessions, passage)
    await a_template(sessions)
    assert (await send(sessions, passage, "receipt")).status is SendStatus.SENT


@pytest.mark.parametrize("percent", [0, 50])
@pytest.mark.parametrize("member", [True, False])
async def test_who_was_in_the_control_group_at_entry_gets_no_marketing_mail_whatever_is_set_later(
    sessions: Sessions, percent: int, *, member: bool
) -> None:
    passage = await a_passage(sessions)
    async with sessions.begin() as session:
        (await session.get_one(Enrollment, passage.enrollment.id)).control_group = member
    receipt = await send(sessions, passage, control_group_percent=percent)
    assert receipt.refusal is (RefusalReason.CONTROL_GROUP if member else None)
