"""Sending from end to end: one activity, a real database, and a carrier that may fail at any line."""

from sqlalchemy import select

from activities.messages import MessagingActivities
from journeys.outcomes import SendStatus
from kit.database import Sessions
from kit.settings import Settings
from messaging.channels.registry import open_channels
from messaging.models import MessageRecord
from tests.support.messaging import TestClock, a_passage
from tests.support.smtp import MailServer


async def ledger(sessions: Sessions) -> list[MessageRecord]:
    async with sessions() as session:
        return list(await session.scalars(select(MessageRecord).order_by(MessageRecord.id)))


async def test_a_contact_with_consent_gets_a_real_mail(sessions: Sessions, mails: MailServer) -> None:
    settings = Settings(smtp_port=mails.port, mail_from="Plattenladen <hallo@example.com>")
    activities = MessagingActivities(sessions, open_channels(settings), settings, TestClock())
    passage = await a_passage(sessions, first_name="Zoë", last_name="Öz")
    receipt = await activities.send_message(passage.request())
    await activities.close()

    assert receipt.status is SendStatus.SENT
    [mail] = mails.mails
    assert mail["To"] == f"Zoë Öz <{passage.contact.email}>"
    assert mail["Subject"] == "Welcome to Plattenladen, Zoë!"
    assert mail["Message-ID"] == f"<{receipt.message_id}@example.com>"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    [record] = await ledger(sessions)
    assert (record.id, record.state, record.provider, record.provider_message_id) == (
        receipt.message_id,
        "handed_over",
        "smtp",
        "Q1",
    )
