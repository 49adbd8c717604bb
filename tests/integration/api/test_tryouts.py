"""Test users and drafts over HTTP: who may try what, what is kept of a draft, and that nothing counts a test."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from crm.access import Scope
from crm.enrollments import EnrollmentRepository
from crm.journeys import JourneyRepository, plan_of
from crm.models.access import AuditEntry
from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyVersion
from intake.models import OutboxEntry
from kit.database import Sessions
from messaging.models import TemplatePin
from tests.support.api import a_key, caller
from tests.support.builders import a_contact

ADA = {"contact": {"user_id": "ada"}}
WELCOME: dict[str, Any] = {
    "name": "Welcome",
    "owner": "crm",
    "goal": {"type": "sell", "event": "order.placed", "within": "30d"},
    "entry": {"event": "contact.registered"},
    "holdout": 50,
    "steps": [{"id": "rest", "wait": "3d"}, {"id": "hello", "send": {"template": "onboarding-welcome"}}],
}
TRY = "/v1/journeys/hello/draft/enrollments"


async def put(client: httpx.AsyncClient, **parts: Any) -> None:
    stored = await client.put("/v1/journeys/hello", json={"key": "hello", **WELCOME, **parts})
    assert stored.status_code == 200, stored.text


async def ada(client: httpx.AsyncClient, sessions: Sessions, *, test_user: bool = True) -> str:
    async with sessions.begin() as session:
        contact = (await a_contact(session, user_id="ada")).id
    if test_user:
        made = await client.put(f"/v1/contacts/{contact}/test-user")
        assert made.json()["test_user"] is True
    return str(contact)


async def ask(client: httpx.AsyncClient, **more: Any) -> Mapping[str, Any]:
    answer = await client.post(TRY, json={**ADA, **more})
    assert answer.status_code in {200, 201}, answer.text
    found: Mapping[str, Any] = answer.json()
    return found


@pytest.mark.usefixtures("templates")
async def test_a_test_user_enters_a_draft_that_was_never_published(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await put(client)
    contact = await ada(client, sessions)
    headers = {"Idempotency-Key": "once"}
    body = {**ADA, "properties": {"product_id": "P-7"}, "waits": "1m"}
    first, repeated = [await client.post(TRY, json=body, headers=headers) for _ in range(2)]
    assert (first.status_code, first.json()) == (201, repeated.json())
    view = first.json()["enrollment"]
    assert (view["test"], view["version"], view["state"]) == (True, 1, "starting")
    async with sessions() as session:
        (row,) = await session.scalars(select(Enrollment))
        kept = await session.get_one(JourneyVersion, ("hello", row.version))
        assert (row.holdout, row.control_group, row.entry_properties) == (False, False, {"product_id": "P-7"})
        assert row.goal_until is not None
        assert plan_of(kept).nodes["rest"].model_dump()["duration"] == "1m"
        assert plan_of(kept).name == "[Test] Welcome"
        assert row.workflow_id == f"hello:{contact}:test-1"
        (pin,) = await session.scalars(select(TemplatePin))
        assert (pin.version, pin.template_key) == (row.version, "onboarding-welcome")
        (noted,) = await session.scalars(select(AuditEntry).where(AuditEntry.action == "journey.tested"))
        assert noted.details["contact"] == contact
        assert [one.kind for one in await session.scalars(select(OutboxEntry))] == ["start"]
    listed = {test: (await client.get("/v1/enrollments", params={"test": test})).json() for test in (True, False)}
    assert [one["id"] for one in listed[True]["items"]] == [view["id"]]
    assert listed[False]["items"] == []


@pytest.mark.usefixtures("templates")
async def test_requests_at_once_begin_one_test(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await put(client)
    await ada(client, sessions)
    answers = await asyncio.gather(*(ask(client) for _ in range(4)))
    assert sorted(answer["result"] for answer in answers) == ["already_running"] * 3 + ["started"]


@pytest.mark.usefixtures("templates")
async def test_nobody_gets_a_draft_by_accident(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await put(client)
    contact = await ada(client, sessions, test_user=False)
    refused = await ask(client)
    assert (refused["result"], refused["reason"]) == ("refused", "not_a_test_user")
    assert "an operator makes them with PUT" in refused["because"]
    await client.put(f"/v1/contacts/{contact}/test-user")
    await client.put("/v1/contacts", json={"user_id": "ada", "traits": {"email": "stranger@example.com"}})
    assert "its mail address is another one since" in (await ask(client))["because"]
    assert (await client.get(f"/v1/contacts/{contact}")).json()["test_user"] is False
    await client.put(f"/v1/contacts/{contact}/test-user")
    assert (await client.delete(f"/v1/contacts/{contact}/test-user")).json()["test_user"] is False
    assert (await ask(client))["result"] == "refused"
    stranger = await client.post(TRY, json={"contact": {"user_id": "nobody"}})
    assert stranger.json()["type"] == "/problems/unknown-contact"


async def test_a_contact_without_an_address_becomes_no_test_user(
    client: httpx.AsyncClient, app: FastAPI, sessions: Sessions
) -> None:
    async with sessions.begin() as session:
        contact = (await a_contact(session, email=None)).id
    answer = await client.put(f"/v1/contacts/{contact}/test-user")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")
    async with caller(app, await a_key(sessions, Scope.AUTHOR)) as author:
        assert (await author.put(f"/v1/contacts/{contact}/test-user")).status_code == 403


async def test_without_a_draft_there_is_nothing_to_try(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await ada(client, sessions)
    assert (await client.post(TRY, json=ADA)).json()["type"] == "/problems/unknown-journey"
    await put(client, steps=[{"wait": "1d"}])
    await client.post("/v1/journeys/hello/publish")
    answer = await client.post(TRY, json=ADA)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")
    assert "has no draft to try" in answer.json()["detail"]


@pytest.mark.usefixtures("templates")
async def test_a_changed_draft_is_tried_anew_and_the_test_of_what_it_said_before_ends(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await put(client)
    await ada(client, sessions)
    first = await ask(client)
    again = await ask(client)
    assert (again["result"], again["enrollment"]["id"]) == ("already_running", first["enrollment"]["id"])
    await put(client, steps=[{"id": "rest", "wait": "1d"}])
    second = await ask(client)
    third = await ask(client, restart=True)
    assert (second["result"], third["result"]) == ("started", "started")
    async with sessions() as session:
        rows = list(await session.scalars(select(Enrollment).order_by(Enrollment.id)))
        kept = [await session.get_one(JourneyVersion, ("hello", row.version)) for row in rows]
        assert [row.version for row in rows] == [-1, -2, -3]
        assert [plan_of(one).nodes["rest"].model_dump()["duration"] for one in kept] == ["3d", "1d", "1d"]
        ends = [one for one in await session.scalars(select(OutboxEntry)) if one.kind == "deliver"]
    assert [(str(one.enrollment_id), one.payload["reason"]) for one in ends] == [
        (first["enrollment"]["id"], "tried anew as test 2"),
        (first["enrollment"]["id"], "tried anew as test 3"),
        (second["enrollment"]["id"], "tried anew as test 3"),
    ]


@pytest.mark.usefixtures("templates")
async def test_tests_and_live_enrollments_do_not_meet(client: httpx.AsyncClient, sessions: Sessions) -> None:
    entry = {**WELCOME["entry"], "at_most": 2}
    await put(client, entry=entry)
    await client.post("/v1/journeys/hello/publish")
    live = await client.post("/v1/journeys/hello/enrollments", json=ADA)
    assert live.status_code == 201
    await ada(client, sessions)
    await put(client, name="Welcome again", entry=entry)
    assert (await ask(client))["enrollment"]["version"] == 2
    running = await client.post("/v1/journeys/hello/enrollments", json=ADA)
    assert running.json()["enrollment"]["id"] == live.json()["enrollment"]["id"]
    view = (await client.get("/v1/journeys/hello")).json()
    assert [(one["version"], one["inside"]) for one in view["versions"]] == [(2, 0), (1, 1)]
    results = (await client.get("/v1/journeys/hello/results")).json()
    anew = await client.post("/v1/journeys/hello/results/retroactive", json={"event": "page.viewed", "within": "9d"})
    for told in (results, anew.json()):
        assert sum(told[part]["entered"] for part in ("contacts", "holdout") if told[part]) == 1
    (sell,) = [
        one for one in (await client.get("/v1/reports/goal-types")).json()["items"] if one["goal_type"] == "sell"
    ]
    assert sum(sell[part]["entered"] for part in ("contacts", "holdout") if sell[part]) == 1
    plan = await client.post("/v1/journeys/hello/publish/plan")
    assert plan.json()["count"] == 1
    published = await client.post("/v1/journeys/hello/publish", json={"inside": "stop"})
    assert published.json()["live"]["version"] == 2
    async with sessions() as session:
        (test,) = await EnrollmentRepository(session).page(test=True)
        assert (test.ended_at, test.told_version) == (None, 2)
        assert [one.version for one in await JourneyRepository(session).versions("hello")] == [2, 1]
        await a_contact(session, user_id="bob")
        await a_contact(session, user_id="eve")
        await session.commit()
    asked = [
        (await client.post("/v1/journeys/hello/enrollments", json={"contact": {"user_id": one}})).json()
        for one in ("bob", "eve")
    ]
    assert [one["reason"] or one["result"] for one in asked] == ["started", "journey_full"]
    await put(client, name="Welcome anew", entry=entry)
    assert (await client.get("/v1/journeys/hello")).json()["draft"]["version"] == 3


@pytest.mark.usefixtures("templates")
async def test_a_paused_journey_holds_its_tests_and_an_arm_must_be_there(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await put(client)
    await ada(client, sessions)
    wrong = await client.post(TRY, json={**ADA, "arms": {"subject": "a"}})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "/arms/subject")
    await client.post("/v1/journeys/hello/publish")
    await put(client, name="Better")
    await client.post("/v1/journeys/hello/pause")
    assert (await ask(client))["reason"] == "journey_paused"
