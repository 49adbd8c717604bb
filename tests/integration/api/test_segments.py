"""Segments over HTTP: define, try, read, test one contact, remove."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from crm.models.event import Event
from kit.database import Sessions
from tests.support.builders import a_contact, a_live_journey

ADULT: dict[str, Any] = {"attribute": "age", "is": {"at_least": 18}}
SEGMENT = {"name": "Adults", "condition": ADULT}


async def contacts(sessions: Sessions, *ages: Any) -> list[UUID]:
    async with sessions.begin() as session:
        return [(await a_contact(session, age=age)).id for age in ages]


async def test_a_segment_is_made_read_changed_and_removed(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await contacts(sessions, 20, 30, 10)

    made = await client.put("/v1/segments/adults", json=SEGMENT)
    assert (made.status_code, made.json()["members"], made.json()["told"]) == (201, 2, 0)
    read = (await client.get("/v1/segments/adults")).json()
    assert (read["members"], read["in_words"], read["condition"]) == (2, "attribute 'age' is at least 18", ADULT)

    older = {"attribute": "age", "is": {"at_least": 25}}
    changed = await client.put("/v1/segments/adults", json=SEGMENT | {"condition": older, "backfill": "matching"})
    assert (changed.status_code, changed.json()) == (
        200,
        {"key": "adults", "version": 2, "created": False, "members": 1, "entered": 0, "left": 1, "told": 1},
    )
    async with sessions() as session:
        told = (await session.scalars(select(Event).where(Event.name == "segment.left"))).all()
    assert [event.properties for event in told] == [{"segment": "adults"}]

    assert [one["key"] for one in (await client.get("/v1/segments")).json()["items"]] == ["adults"]
    assert (await client.delete("/v1/segments/adults")).json() == {"key": "adults", "members": 1}
    gone = await client.get("/v1/segments/adults")
    assert (gone.status_code, gone.json()["type"]) == (404, "/problems/unknown-segment")


async def test_members_are_read_page_by_page(client: httpx.AsyncClient, sessions: Sessions) -> None:
    adults = await contacts(sessions, 20, 30, 40)
    await client.put("/v1/segments/adults", json=SEGMENT)

    first = (await client.get("/v1/segments/adults/members", params={"limit": 2})).json()
    second = (await client.get("/v1/segments/adults/members", params={"limit": 2, "cursor": first["next"]})).json()

    assert [one["contact_id"] for one in first["items"] + second["items"]] == [str(one) for one in adults]
    assert (first["items"][0]["because"], second["next"]) == ("as version 1 says", None)


async def test_a_preview_counts_and_names_some(client: httpx.AsyncClient, sessions: Sessions) -> None:
    adult, _, _ = await contacts(sessions, 20, 10, "old")

    found = (await client.post("/v1/segments/preview", json={"condition": ADULT})).json()

    assert found == {"count": 1, "undecidable": 1, "sample": [str(adult)]}
    assert not (await client.get("/v1/segments")).json()["items"]


@pytest.mark.parametrize(
    ("age", "holds", "because"),
    [
        (20, True, "attribute 'age' is as asked"),
        (10, False, "attribute 'age' is below what is asked at least"),
        ("old", None, "`at_least` compares numbers, and attribute 'age' is a text."),
    ],
)
async def test_one_contact_is_tested_and_told_why(
    client: httpx.AsyncClient, sessions: Sessions, age: Any, *, holds: bool | None, because: str
) -> None:
    (contact,) = await contacts(sessions, age)
    await client.put("/v1/segments/adults", json=SEGMENT)

    judged = (await client.get(f"/v1/segments/adults/members/{contact}")).json()

    assert (judged["holds"], judged["member"] is not None) == (holds, holds is True)
    assert judged["because"].startswith(because)


async def test_a_segment_a_live_journey_names_is_not_removed(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await client.put("/v1/segments/adults", json=SEGMENT)
    async with sessions.begin() as session:
        await a_live_journey(session, {"entry": {"event": "x", "audience": {"not": {"segment": "adults"}}}})

    refused = await client.delete("/v1/segments/adults")

    assert refused.status_code == 409
    assert refused.json()["detail"].startswith("The segment adults is named by the journey welcome-test")
    assert (await client.get("/v1/segments/adults")).json()["journeys"] == ["welcome-test"]


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"entry": "plan"}, "`entry` is of somebody inside a journey"),
        ({"segment": "nobody"}, "There is no segment 'nobody'."),
        ({"not": {"score": {"model": "lead", "at_least": 1}}}, "There is no points model 'lead'."),
        ({"colour": "red"}, "not a condition"),
    ],
)
async def test_a_condition_that_cannot_be_kept_is_refused_with_its_reason(
    client: httpx.AsyncClient, condition: dict[str, Any], said: str
) -> None:
    for answer in (
        await client.put("/v1/segments/adults", json={"name": "x", "condition": condition}),
        await client.post("/v1/segments/preview", json={"condition": condition}),
    ):
        assert (answer.status_code, said in answer.text) == (422, True), answer.text


async def test_a_journey_that_names_an_unknown_segment_is_not_stored(client: httpx.AsyncClient) -> None:
    journey = {
        "key": "vips",
        "name": "x",
        "owner": "x",
        "entry": {"segment": {"entered": "vip"}},
        "steps": [{"wait": "1d"}],
    }
    refused = await client.put("/v1/journeys/vips", json=journey)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "entry.segment.entered")

    await client.put("/v1/segments/vip", json=SEGMENT)
    assert (await client.put("/v1/journeys/vips", json=journey)).status_code == 200


async def test_unknown_names_are_told(client: httpx.AsyncClient) -> None:
    await client.put("/v1/segments/adults", json=SEGMENT)
    for path in ("segments/nope/members", "segments/nope", f"segments/adults/members/{uuid4()}"):
        assert (await client.get(f"/v1/{path}")).status_code == 404
    assert (await client.delete("/v1/segments/nope")).status_code == 404
