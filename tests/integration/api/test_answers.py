"""Why a contact got a mail or not, over HTTP."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from intake.models import EntryRefusal
from kit.database import Sessions
from messaging.models import MessageRecord, MessageState
from tests.support.builders import a_contact, a_live_journey, an_enrollment

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
