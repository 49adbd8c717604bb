"""A sending process killed before, during and after acceptance; then another attempt, as Temporal makes."""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from activities.messages import MessagingActivities
from journeys.outcomes import SendStatus
from kit.clock import wall_clock
from kit.database import Sessions
from kit.settings import Settings
from messaging.channels.registry import open_channels
from tests.support.messaging import TestClock, a_passage, a_template
from tests.support.smtp import MailServer
from workflows.ports import SendMessage

ROOT = Path(__file__).resolve().parents[3]
GRACE = timedelta(minutes=15)


async def killed(request: SendMessage, mails: MailServer, database_url: str, *, at: str) -> None:
    """Send in a process of its own, and kill it when the mail server is told the command `at`."""
    reached = asyncio.Event()
    environment = {**os.environ, "DATABASE_URL": database_url, "DAUERLAUF_SMTP_PORT": str(mails.port)}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.sender",
        cwd=ROOT, env=environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip

    def kill(command: str) -> None:
        if command == at and not reached.is_set():
            reached.set()
            child.send_signal(signal.SIGKILL)

    mails.at = kill
    output, _ = await child.communicate(request.model_dump_json().encode())
    assert reached.is_set()
    assert (child.returncode, output) == (-signal.SIGKILL, b""), "it died before it could report"


@pytest.mark.parametrize(("at", "arrived"), [("MAIL", 0), ("DATA", 1), ("QUIT", 1)])
async def test_a_marketing_mail_is_never_doubled(
    sessions: Sessions, mails: MailServer, database_url: str, at: str, arrived: int
) -> None:
    passage = await a_passage(sessions)
    request = passage.request(now=wall_clock())
    await killed(request, mails, database_url, at=at)

    settings = Settings(smtp_port=mails.port)
    for _ in range(2):
        receipt = await MessagingActivities(sessions, open_channels(settings), settings).send_message(request)
        assert receipt.status is SendStatus.UNKNOWN
    assert len(mails.mails) == arrived


@pytest.mark.parametrize(("at", "arrived"), [("MAIL", 1), ("QUIT", 2)])
async def test_a_transactional_mail_is_never_lost(
    sessions: Sessions, mails: MailServer, database_url: str, at: str, arrived: int
) -> None:
    """The price is a second copy where the first had arrived; both have the same Message-ID."""
    passage = await a_passage(sessions)
    await a_template(sessions)
    request = passage.request(template="receipt", now=wall_clock())
    await killed(request, mails, database_url, at=at)

    settings = Settings(smtp_port=mails.port)
    later = TestClock(wall_clock() + GRACE + timedelta(minutes=1))
    receipt = await MessagingActivities(sessions, open_channels(settings), settings, later).send_message(request)
    assert receipt.status is SendStatus.SENT
    assert len(mails.mails) == arrived
    assert len({mail["Message-ID"] for mail in mails.mails}) == 1
