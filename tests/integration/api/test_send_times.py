"""A contact's best time of day over HTTP, with what led to it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from kit.clock import wall_clock
from kit.database import Sessions
from tests.support.builders import a_contact, an_event

TOKYO = ZoneInfo("Asia/Tokyo")
HOURS = {"from": "08:00", "to": "20:00", "otherwise": "10:00"}


async def reacted(
    session: AsyncSession, contact_id: UUID, *, days: int, name: str = "mail.opened", **more: Any
) -> None:
    """So many reactions at 18:42 in Tokyo, on the days before today."""
    today = wall_clock().astimezone(TOKYO).replace(hour=18, minute=42, second=0, microsecond=0)
    for ago in range(1, days + 1):
        when = today - timedelta(days=ago)
        await an_event(session, contact_id, name, occurred_at=when, event_id=f"{name}-{ago}", **more)


async def test_the_time_is_told_with_the_reactions_that_led_there(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    async with sessions.begin() as session:
        contact = await a_contact(session, time_zone="Asia/Tokyo")
        await reacted(session, contact.id, days=5, name="mail.clicked")
        await reacted(session, contact.id, days=9, properties={"machine": True})
    before = wall_clock()
    told = (await client.get(f"/v1/contacts/{contact.id}/send-time", params=HOURS)).json()
    assert (told["time"], told["time_zone"], told["thin"]) == ("18:40", "Asia/Tokyo", False)
    assert told["because"].startswith("18:40 is when this contact reacts most from 08:00 to 20:00: 5 of the 5 times")
    assert [hour for hour, part in enumerate(told["hours"]) if part] == [18]
    next_at = datetime.fromisoformat(told["next_at"]).astimezone(TOKYO)
    assert before <= next_at
    assert f"{next_at:%H:%M}" == "18:40"
    newest = told["sittings"][0]
    assert (newest["time"], newest["led_here"], newest["reactions"][0]["event_id"]) == ("18:42", True, "mail.clicked-1")
    assert 2.9 < newest["weight"] <= 3


async def test_where_too_little_is_known_it_is_what_was_asked_for(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    async with sessions.begin() as session:
        contact = await a_contact(session, time_zone="Asia/Tokyo")
        await reacted(session, contact.id, days=4)
    told = (await client.get(f"/v1/contacts/{contact.id}/send-time", params={"otherwise": "07:05"})).json()
    assert (told["time"], told["thin"]) == ("07:05", True)
    assert "4 times" in told["because"]
    assert [sitting["led_here"] for sitting in told["sittings"]] == [False] * 4


@pytest.mark.parametrize(
    ("params", "field", "what"),
    [
        ({}, "otherwise", "It is missing."),
        (HOURS | {"from": "8"}, "from", "'8' is not a time of day."),
        (HOURS | {"otherwise": "21:00"}, "otherwise", "21:00 lies outside of 08:00 to 20:00."),
        (HOURS | {"to": "08:30"}, "to", "these hours are less than one."),
        (HOURS | {"form": "09:00"}, "form", "There is no field of this name."),
    ],
)
async def test_hours_that_cannot_be_are_told(
    client: httpx.AsyncClient, sessions: Sessions, params: dict[str, str], field: str, what: str
) -> None:
    async with sessions.begin() as session:
        contact = await a_contact(session)
    answer = await client.get(f"/v1/contacts/{contact.id}/send-time", params=params)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"], error["what"]) == (422, f"query parameter {field}", what)


async def test_a_contact_that_does_not_exist_is_told(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/contacts/0199f5c1-7c1e-7a10-9d6b-3f2a8e5b1c4d/send-time", params=HOURS)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-contact")
