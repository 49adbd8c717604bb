"""The SMTP channel against a real server that misbehaves: what is sent, and what every failure means."""

import asyncio
import socket
from typing import Any

import pytest

from kit.settings import Settings
from messaging.channels.base import Mailbox, NotSent, Rejected, Uncertain
from messaging.channels.smtp import SmtpChannel
from tests.support.outgoing import an_outgoing
from tests.support.smtp import MailServer, Trouble


def a_channel(mails: MailServer, **settings: Any) -> SmtpChannel:
    return SmtpChannel(Settings(smtp_host="127.0.0.1", smtp_port=mails.port, **settings), seconds=5)


async def test_a_mail_arrives_as_it_was_written(mails: MailServer) -> None:
    outgoing = an_outgoing(
        subject="Wie klingt „Kind of Blue“?",
        text="Grüße\n.\nEin Punkt allein in einer Zeile.\n",
        html="<p>Grüße</p>",
        headers={"Message-ID": "<1@example.com>", "Auto-Submitted": "auto-generated"},
    )
    accepted = await a_channel(mails).send(outgoing)

    assert accepted.provider_message_id == "Q1"
    [mail] = mails.mails
    assert mails.envelopes == [("hallo@example.com", ["ada@example.com"])]
    assert mail["Subject"] == "Wie klingt „Kind of Blue“?"
    assert mail["Message-ID"] == "<1@example.com>"
    assert mail["Date"].datetime == outgoing.at
    plain, html = mail.iter_parts()
    assert plain.get_content().splitlines() == ["Grüße", ".", "Ein Punkt allein in einer Zeile."]
    assert html.get_content().strip() == "<p>Grüße</p>"


async def test_names_with_syntax_in_them_stay_names(mails: MailServer) -> None:
    name = 'Zoë "Z" Öz, <e@x.de>; Bcc: a@b.de'
    await a_channel(mails).send(an_outgoing(recipient=Mailbox("zoe@example.com", name)))
    [mail] = mails.mails
    [address] = mail["To"].addresses
    assert (address.display_name, address.addr_spec) == (name, "zoe@example.com")
    assert mail["Bcc"] is None
    assert mails.envelopes[0][1] == ["zoe@example.com"]


@pytest.mark.parametrize(
    ("trouble", "expected", "because"),
    [
        (Trouble.SENDER_REFUSED, NotSent, "refused us with 553 5.7.1"),
        (Trouble.RECIPIENT_REFUSED, Rejected, "550 5.1.1 to the recipient"),
        (Trouble.RECIPIENT_LATER, NotSent, "450 4.2.1 to the recipient"),
        (Trouble.HANG_UP_BEFORE_DATA, NotSent, "could not be reached"),
        (Trouble.CONTENT_REFUSED, Rejected, "554 5.6.0 to the message"),
        (Trouble.CONTENT_LATER, NotSent, "451 4.3.0 to the message"),
        (Trouble.HANG_UP_AFTER_DATA, Uncertain, "answer to the content was lost"),
    ],
)
async def test_every_failure_is_told_apart_by_what_the_server_then_has(
    mails: MailServer, trouble: Trouble, expected: type[Exception], because: str
) -> None:
    mails.trouble = trouble
    with pytest.raises(expected, match=because) as failure:
        await a_channel(mails).send(an_outgoing())
    assert "@" not in str(failure.value), "replies quote addresses, and these texts reach Temporal"
    assert mails.taken <= 1, "never tried twice by itself"


async def test_silence_after_the_content_is_uncertain(mails: MailServer) -> None:
    mails.trouble = Trouble.SILENCE_AFTER_DATA
    channel = SmtpChannel(Settings(smtp_port=mails.port), seconds=0.1)
    with pytest.raises(Uncertain):
        await channel.send(an_outgoing())


async def test_no_server_at_all_is_provably_not_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        channel = SmtpChannel(Settings(smtp_port=taken.getsockname()[1]))
        with pytest.raises(NotSent, match="could not be reached"):
            await channel.send(an_outgoing())


async def test_demanded_encryption_that_the_server_lacks_is_provably_not_sent(mails: MailServer) -> None:
    with pytest.raises(NotSent):
        await a_channel(mails, smtp_start_tls=True).send(an_outgoing())
    assert mails.taken == 0


async def test_a_login_the_server_does_not_know_is_provably_not_sent(mails: MailServer) -> None:
    with pytest.raises(NotSent):
        await a_channel(mails, smtp_user="shop", smtp_password="wrong").send(an_outgoing())
    assert mails.taken == 0


async def test_many_mails_at_once_all_arrive(mails: MailServer) -> None:
    channel = a_channel(mails)
    await asyncio.gather(*(channel.send(an_outgoing()) for _ in range(20)))
    assert len(mails.mails) == 20


async def test_what_cannot_be_written_as_a_mail_is_told_before_anything_is_sent(mails: MailServer) -> None:
    with pytest.raises(Rejected, match="cannot be written as a mail"):
        await a_channel(mails).send(an_outgoing(headers={"X-Note": "one\r\nBcc: two@example.com"}))
    assert mails.taken == 0
