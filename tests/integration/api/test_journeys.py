"""Journeys over HTTP: drafts as YAML and JSON, findings with places, publication."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from crm.models.access import AuditEntry
from crm.models.journey import JourneyVersion
from crm.scoring import ScoringRepository
from journeys.catalogue import models
from kit.database import Sessions

pytestmark = pytest.mark.usefixtures("templates")

YAML = {"Content-Type": "application/yaml"}
DOCUMENT = """\
key: hello
name: Hello
owner: crm
entry: {event: contact.registered, audience: {consent: {purpose: marketing, channel: email}}}
goal: {type: sell, event: order.placed}
steps:
  - id: mail
    send: {template: welcome}
  - wait: 2d
"""


async def put(client: httpx.AsyncClient, text: str = DOCUMENT, key: str = "hello") -> httpx.Response:
    return await client.put(f"/v1/journeys/{key}", content=text, headers=YAML)


async def states(sessions: Sessions) -> list[tuple[int, str]]:
    async with sessions() as session:
        rows = await session.execute(
            select(JourneyVersion.version, JourneyVersion.state).order_by(JourneyVersion.version)
        )
        return [(version, state) for version, state in rows]


async def test_points_are_only_given_under_a_model_that_is_live(client: httpx.AsyncClient, sessions: Sessions) -> None:
    text = DOCUMENT + "  - score: {model: purchases, add: 5, reason: Came.}\n"
    doubtful = await put(client, text)
    assert "There is no points model 'purchases'." in str(doubtful.json()["findings"])
    refused = await client.post("/v1/journeys/hello/publish")
    assert (refused.status_code, "There is no points model 'purchases'" in refused.json()["detail"]) == (422, True)
    async with sessions.begin() as session:
        for model in models():
            await ScoringRepository(session).publish(model)
    assert (await put(client, text)).status_code == 200
    assert (await client.post("/v1/journeys/hello/publish")).status_code == 200


async def test_a_draft_becomes_live_and_is_read_with_its_plan_and_counts(client: httpx.AsyncClient) -> None:
    stored = await put(client)
    assert stored.status_code == 200
    assert stored.json()["draft"]["state"] == "draft"
    published = await client.post("/v1/journeys/hello/publish")
    assert published.status_code == 200
    assert published.json()["live"]["version"] == 1
    read = (await client.get("/v1/journeys/hello")).json()
    assert read["draft"] is None
    assert read["live"]["definition"]["name"] == "Hello"
    assert list(read["counts"]) == list(read["live"]["plan"]["nodes"]) == ["mail", "wait-1"]
    assert set(read["counts"]["mail"].values()) == {0}
    assert (await client.get("/v1/journeys")).json()["items"] == [
        {"key": "hello", "name": "Hello", "owner": "crm", "goal_type": "sell", "stages": [], "live": 1, "draft": None}
    ]


async def test_json_and_yaml_say_the_same(client: httpx.AsyncClient) -> None:
    of_yaml = (await put(client)).json()["draft"]["definition"]
    of_json = (await client.put("/v1/journeys/hello", json=of_yaml)).json()["draft"]["definition"]
    assert of_json == of_yaml


async def test_invalid_yaml_names_the_line_what_is_wrong_and_how_to_mend_it(client: httpx.AsyncClient) -> None:
    answer = await put(client, DOCUMENT.replace("    send:", "\tsend:"))
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == "/problems/invalid-journey"
    (error,) = problem["errors"]
    assert error["field"] == "line 8"
    assert error["what"]
    assert error["remedy"]


async def test_every_mistake_of_a_journey_is_listed(client: httpx.AsyncClient) -> None:
    wrong = DOCUMENT.replace("owner: crm", "ownr: crm").replace("wait: 2d", "wait: soon")
    problem = (await put(client, wrong)).json()
    assert [error["field"] for error in problem["errors"]] == ["line 3, ownr", "line 9, steps[1].wait"]
    assert "Did you mean `owner`?" in problem["errors"][0]["remedy"]


async def test_findings_of_the_check_keep_a_journey_from_being_stored(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    answer = await put(client, DOCUMENT.replace("template: welcome", "template: nope"))
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/invalid-journey"
    assert "line 8, steps[0].send.template" in [error["field"] for error in answer.json()["errors"]]
    assert await states(sessions) == []


async def test_a_document_of_another_key_is_refused(client: httpx.AsyncClient) -> None:
    answer = await put(client, key="goodbye")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "line 1, key"


async def test_publishing_what_nobody_wrote_is_an_unknown_journey(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/journeys/nope/publish")
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/unknown-journey"
    assert (await client.get("/v1/journeys/nope")).json()["type"] == "/problems/unknown-journey"


async def test_publishing_the_same_again_makes_no_new_version(client: httpx.AsyncClient, sessions: Sessions) -> None:
    for _ in range(2):
        await put(client)
        assert (await client.post("/v1/journeys/hello/publish")).json()["live"]["version"] == 1
    assert await states(sessions) == [(1, "live")]


async def test_publishing_tells_what_is_doubtful_beside_the_other_live_journeys(client: httpx.AsyncClient) -> None:
    for number, key in enumerate(("hello", "hello-again", "hello-at-last", "hello-once-more"), start=1):
        await put(client, DOCUMENT.replace("key: hello", f"key: {key}"), key)
        published = (await client.post(f"/v1/journeys/{key}/publish")).json()
        fields = [finding["field"] for finding in published["findings"]]
        assert fields == ([] if number <= 3 else ["journeys hello-once-more, hello, hello-again, hello-at-last"])
    assert published["findings"][0]["severity"] == "warning"
    assert published["live"]["state"] == "live"


async def test_a_moment_that_has_passed_is_told_with_the_draft_and_when_it_is_published(
    client: httpx.AsyncClient,
) -> None:
    broadcast = "broadcast: {at: 2020-12-01 10:00}"
    draft = (await put(client, DOCUMENT.replace("event: contact.registered", broadcast))).json()
    published = (await client.post("/v1/journeys/hello/publish")).json()
    for findings in (draft["findings"], published["findings"]):
        assert ["That moment has passed" in finding["what"] for finding in findings].count(True) == 1


async def test_two_publications_at_once_are_safe(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await put(client)
    await client.post("/v1/journeys/hello/publish")
    await put(client, DOCUMENT.replace("2d", "3d"))
    answers = await asyncio.gather(*(client.post("/v1/journeys/hello/publish") for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert await states(sessions) == [(1, "finishing"), (2, "live")]


async def test_who_wrote_and_published_is_in_the_audit_log(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await put(client)
    await client.post("/v1/journeys/hello/publish")
    async with sessions() as session:
        entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    assert [(entry.action, entry.target) for entry in entries] == [
        ("journey.drafted", "journey:hello"),
        ("journey.published", "journey:hello"),
    ]
    assert all(entry.actor.startswith("key:") for entry in entries)


async def test_pages_of_journeys_follow_one_another(client: httpx.AsyncClient) -> None:
    for key in ("a", "b", "c"):
        await put(client, DOCUMENT.replace("key: hello", f"key: {key}"), key)
    first: dict[str, Any] = (await client.get("/v1/journeys", params={"limit": 2})).json()
    rest = (await client.get("/v1/journeys", params={"limit": 2, "cursor": first["next"]})).json()
    assert [item["key"] for item in first["items"] + rest["items"]] == ["a", "b", "c"]
