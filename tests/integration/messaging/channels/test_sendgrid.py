"""The SendGrid channel against a strict double: what it asks for, and what it makes of every answer."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from kit.errors import Invalid
from kit.settings import Settings
from messaging.channels.base import Mailbox, NotSent, Rejected, Uncertain
from messaging.channels.sendgrid import AT_ONCE, SendGridChannel
from tests.support.outgoing import an_outgoing
from tests.support.sendgrid import DESCRIPTION, KEY, RESET, SILENCE, FakeSendGrid, description, fake_sendgrid, findings

NOW = datetime(2026, 6, 2, 10, 0, tzinfo=UTC)


@pytest_asyncio.fixture
async def channel(sendgrid: FakeSendGrid) -> AsyncIterator[SendGridChannel]:
    channel = a_channel(sendgrid.url)
    yield channel
    await channel.close()


def a_channel(host: str, *, key: str = KEY, read_seconds: float = 10) -> SendGridChannel:
    settings = Settings(sendgrid_host=host, sendgrid_api_key=key)
    return SendGridChannel(settings, clock=lambda: NOW, read_seconds=read_seconds)


async def test_a_mail_is_asked_for_in_the_words_of_sendgrid(channel: SendGridChannel, sendgrid: FakeSendGrid) -> None:
    outgoing = an_outgoing(recipient=Mailbox("zoe@example.com", 'Zoë "Z" Öz, <x>'), headers={"Message-ID": "<1@x>"})
    accepted = await channel.send(outgoing)

    assert accepted.provider_message_id == "sg-1"
    [body] = sendgrid.accepted
    [personalization] = body["personalizations"]
    assert personalization == {
        "to": [{"email": "zoe@example.com", "name": 'Zoë "Z" Öz, <x>'}],
        "headers": {"Message-ID": "<1@x>"},
        "custom_args": {"message_id": str(outgoing.message_id)},
    }
    assert [part["type"] for part in body["content"]] == ["text/plain", "text/html"]
    assert {name: setting["enable"] for name, setting in body["tracking_settings"].items()} == {
        "click_tracking": False,
        "open_tracking": False,
        "subscription_tracking": False,
        "ganalytics": False,
    }
    assert not {"categories", "custom_args", "asm", "send_at", "mail_settings"} & body.keys()


@pytest.mark.skipif(not DESCRIPTION.exists(), reason="SendGrid's own description is not at ../shared/data")
async def test_the_double_validates_against_sendgrids_own_description() -> None:
    assert description() is not None
    good = {
        "personalizations": [{"to": [{"email": "a@example.com"}]}],
        "from": {"email": "b@example.com"},
        "subject": "s",
        "content": [{"type": "text/plain", "value": "x"}],
    }
    assert findings(good) == []
    assert findings({**good, "custom_args": {"a": "b"}})
    assert findings({**good, "colour": "red"})
    assert findings({key: value for key, value in good.items() if key != "from"})
    assert findings({**good, "personalizations": [{}]})
    assert findings({**good, "content": []})
    assert findings({**good, "content": [{"type": "text/html", "value": "x"}, {"type": "text/plain", "value": "x"}]})


async def test_connections_are_kept_open_between_mails(channel: SendGridChannel, sendgrid: FakeSendGrid) -> None:
    for _ in range(5):
        await channel.send(an_outgoing())
    assert (len(sendgrid.accepted), sendgrid.connections) == (5, 1)


async def test_many_mails_at_once_are_bounded_and_all_arrive(channel: SendGridChannel, sendgrid: FakeSendGrid) -> None:
    await asyncio.gather(*(channel.send(an_outgoing()) for _ in range(3 * AT_ONCE)))
    assert len(sendgrid.accepted) == 3 * AT_ONCE
    assert sendgrid.connections <= AT_ONCE


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Rejected),
        (401, NotSent),
        (403, NotSent),
        (404, NotSent),
        (408, NotSent),
        (413, Rejected),
        (429, NotSent),
        (200, Uncertain),
        (303, Uncertain),
        (500, Uncertain),
        (503, Uncertain),
        (599, Uncertain),
    ],
)
async def test_every_answer_but_202_is_told_apart_by_what_sendgrid_then_has(
    channel: SendGridChannel, sendgrid: FakeSendGrid, status: int, expected: type[Exception]
) -> None:
    sendgrid.answer = status
    with pytest.raises(expected, match=f"SendGrid answered {status}"):
        await channel.send(an_outgoing())
    assert len(sendgrid.requests) == 1, "never tried twice by itself"


async def test_a_rate_limit_says_when_to_come_back(channel: SendGridChannel, sendgrid: FakeSendGrid) -> None:
    sendgrid.answer = 429
    sendgrid.headers["X-RateLimit-Reset"] = str(int((NOW + timedelta(seconds=42)).timestamp()))
    with pytest.raises(NotSent) as refusal:
        await channel.send(an_outgoing())
    assert refusal.value.retry_after == timedelta(seconds=42)


@pytest.mark.parametrize("reset", ["", "soon", "-1", "9" * 40])
async def test_a_rate_limit_with_nonsense_in_it_leaves_the_time_open(
    channel: SendGridChannel, sendgrid: FakeSendGrid, reset: str
) -> None:
    sendgrid.answer = 429
    sendgrid.headers["X-RateLimit-Reset"] = reset
    with pytest.raises(NotSent) as refusal:
        await channel.send(an_outgoing())
    assert refusal.value.retry_after is None


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed_and_gives_no_key_away(
    channel: SendGridChannel, sendgrid: FakeSendGrid, status: int
) -> None:
    with fake_sendgrid() as elsewhere:
        sendgrid.answer = status
        sendgrid.headers["Location"] = f"{elsewhere.url}/v3/mail/send"
        with pytest.raises(NotSent):
            await channel.send(an_outgoing())
        assert elsewhere.requests == []


async def test_an_answer_lost_after_the_body_was_read_is_uncertain(
    channel: SendGridChannel, sendgrid: FakeSendGrid
) -> None:
    sendgrid.answer = RESET
    with pytest.raises(Uncertain):
        await channel.send(an_outgoing())


async def test_silence_after_the_body_was_read_is_uncertain(sendgrid: FakeSendGrid) -> None:
    channel = a_channel(sendgrid.url, read_seconds=0.05)
    sendgrid.answer = SILENCE
    with pytest.raises(Uncertain):
        await channel.send(an_outgoing())
    await channel.close()


async def test_a_refused_connection_is_provably_not_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        channel = a_channel(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(NotSent):
            await channel.send(an_outgoing())
        await channel.close()


async def test_a_failed_tls_handshake_is_provably_not_sent(sendgrid: FakeSendGrid) -> None:
    channel = a_channel(sendgrid.url.replace("http:", "https:"))
    with pytest.raises(NotSent):
        await channel.send(an_outgoing())
    assert sendgrid.requests == []
    await channel.close()


async def test_an_error_names_fields_and_never_an_address(channel: SendGridChannel, sendgrid: FakeSendGrid) -> None:
    sendgrid.answer = 400
    sendgrid.errors = [
        {"message": "zoe@example.com is not valid", "field": "personalizations.0.to.0.email"},
        {"message": "bad", "field": "zoe@example.com"},
    ]
    with pytest.raises(Rejected) as refusal:
        await channel.send(an_outgoing())
    assert refusal.value.because == "SendGrid answered 400 (personalizations.0.to.0.email)"


async def test_a_wrong_key_is_an_outage_of_ours_not_a_refusal_of_the_contact(sendgrid: FakeSendGrid) -> None:
    channel = a_channel(sendgrid.url, key="SG.wrong.key")
    with pytest.raises(NotSent, match="401"):
        await channel.send(an_outgoing())
    await channel.close()


async def test_the_key_and_the_mail_are_never_logged(
    channel: SendGridChannel, caplog: pytest.LogCaptureFixture
) -> None:
    """The package prints both at DEBUG."""
    with caplog.at_level(logging.DEBUG):
        await channel.send(an_outgoing(text="a secret word"))
    assert KEY not in caplog.text
    assert "a secret word" not in caplog.text


@pytest.mark.parametrize("host", ["http://api.sendgrid.com", "ftp://127.0.0.1", "api.sendgrid.com"])
def test_a_host_that_would_see_the_key_in_the_clear_is_refused(host: str) -> None:
    with pytest.raises(Invalid, match="DAUERLAUF_SENDGRID_HOST"):
        a_channel(host)


def test_no_key_is_said_at_the_start() -> None:
    with pytest.raises(Invalid, match="SENDGRID_API_KEY"):
        a_channel("https://api.sendgrid.com", key="")


def test_the_seams_of_the_package_are_still_where_they_were() -> None:
    """The transport overrides two private methods; a new version of the package must not silently stop calling them."""
    channel = a_channel("https://api.sendgrid.com")
    assert type(channel._api.client.mail.send).__name__ == "PooledClient"
