"""The stage of a contact over HTTP."""

import httpx
import pytest_asyncio
from sqlalchemy import select

from crm.models.access import AuditEntry
from kit.database import Sessions


@pytest_asyncio.fixture
async def contact(client: httpx.AsyncClient) -> str:
    made = (await client.put("/v1/contacts", json={"user_id": "u1"})).json()["contact"]
    assert made["stage"] == "visitor"
    return f"/v1/contacts/{made['id']}"


async def test_a_contact_moves_forward_without_and_back_with_a_reason(
    client: httpx.AsyncClient, contact: str, sessions: Sessions
) -> None:
    forward = await client.post(f"{contact}/stage", json={"to": "sql"})
    assert forward.json() == {"result": "changed", "stage": "sql", "before": "visitor"}
    refused = await client.post(f"{contact}/stage", json={"to": "lead", "reason": " "})
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["/reason"]
    assert (await client.get(contact)).json()["stage"] == "sql"
    back = await client.post(f"{contact}/stage", json={"to": "lead", "reason": "Rejected by sales."})
    assert back.json()["stage"] == "lead"
    again = await client.post(f"{contact}/stage", json={"to": "lead"})
    assert again.json()["result"] == "unchanged"

    async with sessions() as session:
        audited = list(await session.scalars(select(AuditEntry.details).where(AuditEntry.action == "contact.stage")))
    assert [(one["from"], one["to"], one["reason"]) for one in audited] == [
        ("visitor", "sql", ""),
        ("sql", "lead", "Rejected by sales."),
    ]


async def test_the_history_reads_backwards_in_pages_and_names_the_events(
    client: httpx.AsyncClient, contact: str
) -> None:
    for stage in ("lead", "mql", "customer"):
        await client.post(f"{contact}/stage", json={"to": stage})
    first = (await client.get(f"{contact}/stages", params={"limit": 2})).json()
    rest = (await client.get(f"{contact}/stages", params={"limit": 2, "cursor": first["next"]})).json()
    changes = first["items"] + rest["items"]
    assert [(one["from_stage"], one["to_stage"]) for one in changes] == [
        ("mql", "customer"),
        ("lead", "mql"),
        ("visitor", "lead"),
    ]
    assert rest["next"] is None
    events = (await client.get(f"{contact}/events")).json()["items"]
    assert [event["event_id"] for event in events] == [one["event_id"] for one in changes]


async def test_an_unknown_stage_and_an_unknown_contact_are_answered_as_such(
    client: httpx.AsyncClient, contact: str
) -> None:
    assert (await client.post(f"{contact}/stage", json={"to": "friend"})).status_code == 422
    nobody = "/v1/contacts/0199f5c1-7c1e-7a10-9d6b-3f2a8e5b1c4d"
    assert (await client.post(f"{nobody}/stage", json={"to": "lead"})).status_code == 404
    assert (await client.get(f"{nobody}/stages")).status_code == 404
