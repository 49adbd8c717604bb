"""Why a contact got a mail or not, over HTTP."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from activities.messages import MessagingActivities
from intake.models import EntryRefusal
from journeys.frequency import AtCap
from journeys.values import MessageChannel
from journeys.window import WhenClosed
from kit.database import Sessions
from kit.settings import Settings
from messaging.holding import hold_back
from messaging.ledger import MessageKey
from messaging.models import MessageRecord, MessageState
from messaging.verdicts import Deferred
from tests.support.builders import a_contact, a_live_journey, an_enrollment
from tests.support.messaging import NOON, RecordingChannel, TestClock, a_passage

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def a_message(enrollment: Any, iteration: int, **values: Any) -> MessageRecord:
    return MessageRecord(
        enrollment_id=enrollment.id,
        contact_id=enrollment.contact_id,
        step="voucher",
        iteration=iteration,
        channel="email",
        template_key="voucher",
        state=MessageState.HANDED_OVER,
        **values,
    )


async def test_messages_are_told_newest_first_with_the_reason_of_a_refusal(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    async with sessions.begin() as session:
        contact = await a_contact(session)
        enrollment = await an_enrollment(session, contact.id, await a_live_journey(session, None))
        session.add(a_message(enrollment, 1))
        await session.flush()
        refused = a_message(enrollment, 2, refusal="no_consent", because="no consent to marketing by email")
        refused.state = MessageState.REFUSED
        session.add(refused)
    first = (await client.get(f"/v1/contacts/{contact.id}/messages", params={"limit": 1})).json()
    assert [(item["iteration"], item["state"], item["refusal"]) for item in first["items"]] == [
        (2, "refused", "no_consent")
    ]
    rest = await client.get(f"/v1/contacts/{contact.id}/messages", params={"cursor": first["next"]})
    assert [item["iteration"] for item in rest.json()["items"]] == [1]
    assert rest.json()["next"] is None


async def test_messages_that_wait_are_told_among_the_others_with_until_when_and_why(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    until = AT + timedelta(days=7)
    async with sessions.begin() as session:
        contact = await a_contact(session)
        version = await a_live_journey(session)
        at_it, gone, ended = [
            await an_enrollment(session, contact.id, version, step=step, entry_key=step, ended_at=ended_at)
            for step, ended_at in (("mail", None), ("pause", None), ("mail", AT))
        ]
        session.add(a_message(at_it, 1))
        await session.flush()
        for enrollment in (at_it, gone, ended):
            key = MessageKey(enrollment.id, "mail", 2, "email")
            await hold_back(session, key, contact.id, "voucher", Deferred(until, "UTC", "The cap is full."))
    path = f"/v1/contacts/{contact.id}/messages"

    [waiting, sent] = (await client.get(path)).json()["items"]

    assert {name: waiting[name] for name in ("state", "until", "because", "template_key", "iteration")} == {
        "state": "held_back",
        "until": until.isoformat().replace("+00:00", "Z"),
        "because": "The cap is full.",
        "template_key": "voucher",
        "iteration": 2,
    }
    assert (waiting["enrollment_id"], waiting["step"]) == (str(at_it.id), "mail"), (
        "those that left do not wait any more"
    )
    assert (sent["state"], sent["until"]) == ("handed_over", None)
    first = (await client.get(path, params={"limit": 1})).json()
    rest = (await client.get(path, params={"limit": 1, "cursor": first["next"]})).json()
    assert [first["items"], rest["items"], rest["next"]] == [[waiting], [sent], None]


SKIPS = {"cap": AtCap.SKIP, "closed": WhenClosed.SKIP}


@dataclass(frozen=True)
class Refusing:
    """What makes the second of two equal messages be refused."""

    reason: str
    under: dict[str, Any] = field(default_factory=dict)
    quiet_hours: str | None = None
    window: dict[str, Any] | None = None


@pytest.mark.parametrize(
    "refusing",
    [
        Refusing("quiet_hours", quiet_hours="08:00-20:00", window={"from": "09:00", "to": "17:00"}),
        Refusing("window_closed", window={"from": "20:00", "to": "21:00"}),
        Refusing("sent_before", {"repeat_after_hours": 24}),
        Refusing("frequency_cap", {"weekly_cap": 1, "repeat_after_hours": 0}),
    ],
    ids=lambda refusing: refusing.reason,
)
async def test_what_the_gate_refuses_is_told_with_its_reason(
    client: httpx.AsyncClient, sessions: Sessions, refusing: Refusing
) -> None:
    passage = await a_passage(sessions, time_zone="UTC", quiet_hours=refusing.quiet_hours)
    channels = {MessageChannel.EMAIL: RecordingChannel()}
    sending = MessagingActivities(sessions, channels, Settings(**refusing.under), TestClock())
    for step in ("before", "mail"):
        await sending.send_message(passage.request(step=step, window=refusing.window, **SKIPS))
    await sending.close()

    told = (await client.get(f"/v1/contacts/{passage.contact.id}/messages")).json()["items"]

    assert (told[0]["step"], told[0]["state"], told[0]["refusal"]) == ("mail", "refused", refusing.reason)
    assert told[0]["because"]


async def test_a_message_is_held_back_until_it_leaves(client: httpx.AsyncClient, sessions: Sessions) -> None:
    passage = await a_passage(sessions, time_zone="UTC", quiet_hours="09:30-11:00")
    clock = TestClock()
    sending = MessagingActivities(sessions, {MessageChannel.EMAIL: RecordingChannel()}, Settings(), clock)
    told = []
    for passed in (timedelta(), timedelta(hours=1)):
        clock.now = NOON + passed
        await sending.send_message(passage.request(now=clock.now))
        answer = await client.get(f"/v1/contacts/{passage.contact.id}/messages")
        told.append([(item["state"], item["until"], item["because"]) for item in answer.json()["items"]])
    await sending.close()

    because = "The contact's quiet hours end at 2026-06-02 11:00 UTC."
    assert told == [[("held_back", "2026-06-02T11:00:00Z", because)], [("handed_over", None, "")]]


async def test_refused_entries_are_told_newest_first(client: httpx.AsyncClient, sessions: Sessions) -> None:
    async with sessions.begin() as session:
        contact = await a_contact(session)
        for number in range(2):
            session.add(
                EntryRefusal(
                    journey_key="hello",
                    version=1,
                    contact_id=contact.id,
                    reason="audience",
                    because=f"reason {number}",
                    at=AT,
                )
            )
            await session.flush()
    answer = await client.get(f"/v1/contacts/{contact.id}/refusals")
    assert [item["because"] for item in answer.json()["items"]] == ["reason 1", "reason 0"]


@pytest.mark.parametrize("listing", ["messages", "refusals"])
async def test_an_unknown_contact_is_a_problem_document(client: httpx.AsyncClient, listing: str) -> None:
    answer = await client.get(f"/v1/contacts/{uuid4()}/{listing}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
