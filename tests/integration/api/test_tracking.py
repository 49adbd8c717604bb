"""Segment's tracking API on a real database: raw requests, all or nothing, each event once."""

import gzip
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from crm.contacts import ContactReference, ContactRepository
from crm.models.contact import Contact
from crm.models.event import Event, QueuedEvent
from kit.database import Sessions

TRACK = {"userId": "u1", "event": "order.placed", "properties": {"order_id": "A-1"}, "messageId": "m1"}


async def events(sessions: Sessions) -> list[Event]:
    async with sessions() as session:
        return list(await session.scalars(select(Event).order_by(Event.sequence)))


async def count(sessions: Sessions, table: Any) -> int:
    async with sessions() as session:
        return int(await session.scalar(select(func.count()).select_from(table)) or 0)


async def test_an_accepted_event_is_stored_and_queued(client: httpx.AsyncClient, sessions: Sessions) -> None:
    answer = await client.post("/v1/track", json={**TRACK, "timestamp": "2026-03-01T10:30:00+01:00"})
    assert answer.status_code == 200
    assert answer.json() == {"success": True}
    (event,) = await events(sessions)
    assert (event.event_id, event.name, event.source) == ("m1", "order.placed", "segment")
    assert event.properties == {"order_id": "A-1"}
    assert event.occurred_at.isoformat() == "2026-03-01T09:30:00+00:00"
    assert await count(sessions, QueuedEvent) == 1


async def test_the_same_message_id_twice_counts_once(client: httpx.AsyncClient, sessions: Sessions) -> None:
    for _ in range(2):
        assert (await client.post("/v1/track", json=TRACK)).status_code == 200
    assert len(await events(sessions)) == 1


@pytest.mark.parametrize(
    ("path", "body", "becomes"),
    [
        (
            "identify",
            {"userId": "u1", "traits": {"email": "ada@example.com"}},
            ("contact.identified", {"traits": {"email": "ada@example.com"}}),
        ),
        ("page", {"anonymousId": "a1", "name": "Pricing"}, ("page.viewed", {"name": "Pricing"})),
        ("screen", {"anonymousId": "a1", "name": "Basket"}, ("screen.viewed", {"name": "Basket"})),
        ("group", {"userId": "u1", "groupId": "g1"}, ("contact.grouped", {"group_id": "g1", "traits": {}})),
        ("alias", {"userId": "u1", "previousId": "a1"}, ("contact.aliased", {"previous_id": "a1"})),
    ],
)
async def test_each_call_becomes_its_event(
    client: httpx.AsyncClient,
    sessions: Sessions,
    path: str,
    body: dict[str, Any],
    becomes: tuple[str, dict[str, Any]],
) -> None:
    assert (await client.post(f"/v1/{path}", json=body)).status_code == 200
    (event,) = await events(sessions)
    assert (event.name, event.properties) == becomes


async def test_a_gzipped_batch_from_a_write_key_is_accepted_in_order(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    batch = [{"type": "track", **TRACK, "messageId": f"m{number}"} for number in range(20)]
    key = client.headers.pop("Authorization").removeprefix("Bearer ")
    answer = await client.post(
        "/v1/batch",
        content=gzip.compress(json.dumps({"batch": batch, "sentAt": "2026-03-01T09:30:00Z"}).encode()),
        headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
        auth=(key, ""),
    )
    assert answer.json() == {"success": True}
    assert [event.event_id for event in await events(sessions)] == [f"m{number}" for number in range(20)]
    assert await count(sessions, Contact) == 1


async def test_a_batch_with_one_bad_event_is_refused_whole(client: httpx.AsyncClient, sessions: Sessions) -> None:
    batch = [{"type": "track", **TRACK}, {"type": "track", "event": "order.placed"}, {"type": "page", "userId": "u2"}]
    answer = await client.post("/v1/batch", json={"batch": batch})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["/batch/1/userId"]
    assert await events(sessions) == []
    assert await count(sessions, Contact) == 0


async def test_a_malformed_timestamp_is_named_by_item_and_field(client: httpx.AsyncClient) -> None:
    batch = [{"type": "track", **TRACK}, {"type": "track", **TRACK, "timestamp": "yesterday"}]
    answer = await client.post("/v1/batch", json={"batch": batch})
    problem = answer.json()
    assert answer.status_code == 422
    assert problem["errors"] == [
        {
            "field": "/batch/1/timestamp",
            "what": "'yesterday' is not an instant.",
            "remedy": "Write ISO 8601 with a time zone, such as 2026-03-01T09:30:00Z.",
        }
    ]
    assert problem["detail"] == "/batch/1/timestamp: 'yesterday' is not an instant."


async def test_an_alias_leads_the_old_name_to_the_new_contact(client: httpx.AsyncClient, sessions: Sessions) -> None:
    batch = [
        {"type": "track", "anonymousId": "a1", "event": "page.opened"},
        {"type": "alias", "previousId": "a1", "userId": "u1"},
        {"type": "track", "userId": "u1", "event": "order.placed"},
    ]
    assert (await client.post("/v1/batch", json={"batch": batch})).status_code == 200
    assert len({event.contact_id for event in await events(sessions)}) == 1
    async with sessions() as session:
        found = await ContactRepository(session).find(ContactReference(user_id="u1"))
        assert found is not None


async def test_an_alias_does_not_merge_two_contacts(client: httpx.AsyncClient, sessions: Sessions) -> None:
    batch = [
        {"type": "identify", "userId": "old"},
        {"type": "identify", "userId": "new"},
        {"type": "alias", "previousId": "old", "userId": "new"},
    ]
    assert (await client.post("/v1/batch", json={"batch": batch})).status_code == 200
    old, new, aliased = await events(sessions)
    assert old.contact_id != new.contact_id == aliased.contact_id


async def test_our_own_event_says_whether_it_was_new(client: httpx.AsyncClient) -> None:
    body = {"event": "order.placed", "event_id": "e1", "contact": {"email": "ada@example.com"}}
    first = await client.post("/v1/events", json=body)
    again = await client.post("/v1/events", json=body)
    assert first.status_code == 202
    assert first.json()["new"] is True
    assert again.json() == {**first.json(), "new": False}


async def test_an_event_for_a_contact_that_does_not_exist_is_refused(client: httpx.AsyncClient) -> None:
    body = {"event": "x", "contact": {"id": "0199f5c1-7c1e-7a10-9d6b-3f2a8e5b1c4d"}}
    answer = await client.post("/v1/events", json=body)
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not-found"
