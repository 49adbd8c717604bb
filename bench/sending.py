"""The send path beside the bare transport: SendGrid's own package over pooled connections, in as many threads.

All of them hand the same mail to the same fake provider, with the same latency and as many in flight. The channel is
what carries a finished message. The whole activity is what a journey's `send` does: note the progress, ask the gate,
render, claim in the ledger, commit, hand over, record, commit; each mail to another contact who has consented.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median
from typing import Any
from uuid import UUID, uuid4

from pydantic import SecretStr
from rich.progress import Progress as Bar
from sendgrid import SendGridAPIClient
from sqlalchemy import text
from temporalio.client import Client

from activities.messages import MessagingActivities
from bench.concurrency import all_of
from bench.measurement import Measurement, at_least_times
from bench.provider import Provider, running_provider
from bench.stacks import running_stack
from cli.stack.supervisor import Part
from journeys.outcomes import JourneyState
from journeys.values import MessageChannel
from kit.database import Sessions
from kit.settings import MailProvider, Settings
from messaging.channels.base import Accepted, Outgoing
from messaging.channels.sendgrid import AT_ONCE, SendGridChannel, as_mail
from messaging.channels.sendgrid_transport import PooledClient, open_pool
from workflows.ports import Progress, SendMessage

MAILS = int(os.environ.get("BENCH_MAILS", "1000"))
"""In each round; through the whole activity as many in all rounds together."""
ROUNDS = 3
BUDGET = 0.8
KEY = "SG.bench.of-no-account"
JOURNEY, TEMPLATE = "welcome", "welcome"
"""Of the catalogue."""

_FILL = (
    """INSERT INTO contacts (email, first_name, locale)
       SELECT 'contact-' || n || '@example.com', 'Ada', 'en' FROM generate_series(1, :contacts) AS given (n)""",
    """INSERT INTO consents (contact_id, purpose, channel, state, source, occurred_at)
       SELECT id, 'marketing', 'email', 'granted', 'bench', now() FROM contacts""",
    """INSERT INTO enrollments
           (journey_key, version, entered_version, contact_id, workflow_id, state, step, since, entered_at)
       SELECT :journey, 1, 1, id, :journey || ':' || id, 'running', 'mail', now(), now() FROM contacts""",
)


async def measure(_client: Client, _address: str, bar: Bar) -> list[Measurement]:
    """Bare, channel and whole activity, in turns."""
    task = bar.add_task("send path", total=ROUNDS)
    rates: dict[str, list[float]] = {"bare": [], "channel": [], "activity": []}
    async with running_stack(Part.POSTGRES, Part.SCHEMA) as stack, running_provider() as provider:
        settings = _settings(stack.addresses.database_url, provider)
        channel = _Keeping(settings)
        sending = MessagingActivities(stack.sessions, {MessageChannel.EMAIL: channel}, settings)
        try:
            requests = await _requests(stack.sessions)
            await _sent(provider, sending.send_message, requests[:AT_ONCE])  # connections and templates
            mails = [replace(channel.kept, message_id=uuid4()) for _ in range(MAILS)]
            for number in range(ROUNDS):
                rates["bare"].append(await _bare(provider, mails))
                rates["channel"].append(await _sent(provider, channel.send, mails))
                rates["activity"].append(
                    await _sent(provider, sending.send_message, requests[AT_ONCE + number :: ROUNDS])
                )
                bar.advance(task)
        finally:
            await sending.close()
    bar.remove_task(task)
    return _compare({name: median(found) for name, found in rates.items()})


class _Keeping(SendGridChannel):
    """The channel as it is, which keeps the newest mail, so that all send the same."""

    kept: Outgoing

    async def send(self, outgoing: Outgoing) -> Accepted:
        self.kept = outgoing
        return await super().send(outgoing)


def _settings(database_url: str, provider: Provider) -> Settings:
    return Settings(
        database_url=database_url,
        mail_provider=MailProvider.SENDGRID,
        sendgrid_api_key=SecretStr(KEY),
        sendgrid_host=provider.url,
    )


async def _requests(sessions: Sessions) -> list[SendMessage]:
    """One send each for contacts who are on the journey."""
    given = {"contacts": MAILS + AT_ONCE, "journey": JOURNEY}
    async with sessions.begin() as session:
        for statement in _FILL:
            await session.execute(text(statement), {name: given[name] for name in given if f":{name}" in statement})
    async with sessions() as session:
        await session.execute(text("ANALYZE"))
        rows = (await session.execute(text("SELECT id, contact_id FROM enrollments"))).all()
    return [_request(enrollment_id, contact_id) for enrollment_id, contact_id in rows]


def _request(enrollment_id: UUID, contact_id: UUID) -> SendMessage:
    now = datetime.now(UTC)
    return SendMessage(
        enrollment_id=enrollment_id,
        contact_id=contact_id,
        step="mail",
        iteration=1,
        now=now,
        progress=Progress(enrollment_id=enrollment_id, state=JourneyState.RUNNING, step="mail", since=now),
        template=TEMPLATE,
        channel=MessageChannel.EMAIL,
    )


async def _sent(provider: Provider, send: Callable[[Any], Awaitable[object]], given: Sequence[object]) -> float:
    """Mails per second with `AT_ONCE` in flight."""
    return await _rate(provider, len(given), all_of(send, given, at_once=AT_ONCE))


async def _bare(provider: Provider, mails: Sequence[Outgoing]) -> float:
    """The same from as many threads that do nothing else."""
    api = SendGridAPIClient(KEY, host=provider.url)
    headers = {**api.client.request_headers, "Content-Type": "application/json"}
    with open_pool(AT_ONCE) as pool, ThreadPoolExecutor(AT_ONCE) as threads:
        api.client = PooledClient(pool, host=api.host, request_headers=headers, version=3)

        def send_all() -> None:
            list(threads.map(lambda mail: api.send(as_mail(mail)), mails))

        return await _rate(provider, len(mails), asyncio.to_thread(send_all))


async def _rate(provider: Provider, count: int, work: Awaitable[object]) -> float:
    before, began = provider.taken.value, time.perf_counter()
    await work
    seconds = time.perf_counter() - began
    assert provider.taken.value - before == count, "each mail arrives once"
    return count / seconds


def _compare(rates: dict[str, float]) -> list[Measurement]:
    bare = rates["bare"]
    return [
        at_least_times("mails/s, SendGrid channel (bare pooled transport)", rates["channel"], bare, BUDGET),
        at_least_times("mails/s, whole send with gate and ledger (the same)", rates["activity"], bare, BUDGET),
    ]
