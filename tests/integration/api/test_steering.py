"""Whole journeys steered over HTTP; what becomes of the contacts is tested with `intake.steering`."""

from typing import Any

import httpx
import pytest

from crm.access import Scope
from crm.journeys import JourneyRepository
from journeys.outcomes import JourneyState
from kit.database import Sessions
from tests.integration.api.test_journeys import DOCUMENT, put
from tests.integration.api.test_publication import inside, publish
from tests.support.api import a_key, caller
from tests.support.builders import a_contact, an_enrollment

pytestmark = pytest.mark.usefixtures("templates")

HELLO = "/v1/journeys/hello"


async def test_a_journey_is_paused_shown_as_paused_and_resumed(client: httpx.AsyncClient) -> None:
    await publish(client)
    answer = await client.post(f"{HELLO}/pause", json={"reason": "the shop is down"})
    assert answer.status_code == 202
    order = answer.json()
    assert (order["action"], order["done"], order["beyond_recall"]) == ("pause", False, None)
    assert (await client.get(HELLO)).json()["paused_at"] == order["created_at"]

    refused = await client.post(f"{HELLO}/enrollments", json={"contact": {"user_id": "u1"}})
    assert (refused.status_code, refused.json()["reason"]) == (200, "journey_paused")
    assert (await client.post(f"{HELLO}/pause")).status_code == 409

    resumed = await client.post(f"{HELLO}/resume", json={"timers": "shift"})
    assert (resumed.status_code, resumed.json()["timers"]) == (202, "shift")
    assert (await client.get(HELLO)).json()["paused_at"] is None
    started = await client.post(f"{HELLO}/enrollments", json={"contact": {"user_id": "u2"}})
    assert started.json()["reason"] == "audience"
    listed = (await client.get(f"{HELLO}/steerings")).json()["items"]
    assert [order["action"] for order in listed] == ["resume", "pause"]
    assert listed[1]["reason"] == "the shop is down"


async def test_a_stopped_journey_takes_nobody_and_says_how_many_are_ended(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await publish(client)
    await inside(sessions, 2)
    answer = await client.post(f"{HELLO}/stop", json={"inside": "stop", "reason": "a wrong price"})
    assert answer.status_code == 202
    stopped = answer.json()
    assert (stopped["versions"], stopped["inside"]) == ([1], 2)
    assert (stopped["steering"]["action"], stopped["steering"]["beyond_recall"]) == ("stop", 0)
    read = (await client.get(HELLO)).json()
    assert (read["live"], [one["state"] for one in read["versions"]]) == (None, ["stopped"])
    assert (await client.post(f"{HELLO}/rollback")).status_code == 409
    await put(client)
    assert (await client.post(f"{HELLO}/publish")).json()["live"]["version"] == 2


async def test_stopping_lets_those_inside_finish_by_default(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await publish(client)
    await inside(sessions)
    stopped = (await client.post(f"{HELLO}/stop")).json()
    assert (stopped["inside"], stopped["steering"]) == (1, None)
    assert [one["state"] for one in (await client.get(HELLO)).json()["versions"]] == ["finishing"]


async def test_those_at_a_step_are_counted_before_they_are_steered(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await publish(client)
    await inside(sessions, 3)
    counted = await client.post(f"{HELLO}/steps/wait-1/release", json={"plan": True, "limit": 2})
    assert (counted.status_code, counted.json()) == (200, {"count": 2, "steering": None})
    assert (await client.get(f"{HELLO}/steerings")).json()["items"] == []
    for action in ("release", "skip", "exit"):
        asked = {"limit": 2, "reason": "over", "where": {"not": {"in_list": "vip"}}}
        ordered = await client.post(f"{HELLO}/steps/wait-1/{action}", json=asked)
        order = ordered.json()["steering"]
        assert order["where"] == asked["where"]
        assert (ordered.status_code, order["action"], order["step"], order["limit"]) == (202, action, "wait-1", 2)


async def test_only_who_waits_can_be_released_but_anybody_can_leave(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await publish(client)
    async with sessions.begin() as session:
        version = await JourneyRepository(session).version("hello", 1)
        assert version is not None
        parked = await an_enrollment(
            session, (await a_contact(session)).id, version, state=JourneyState.NEEDS_ATTENTION, step="mail"
        )
        parked.attention = "failed"
    for action, found in (("release", 0), ("skip", 1), ("exit", 1)):
        counted = await client.post(f"{HELLO}/steps/mail/{action}", json={"plan": True})
        assert counted.json()["count"] == found


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("steps/elsewhere/skip", {}, 422),
        ("steps/wait-1/forget", {}, 422),
        ("steps/wait-1/skip", {"limit": 0}, 422),
        ("steps/wait-1/skip", {"due_before": "tomorrow"}, 422),
        ("steps/wait-1/skip", {"where": {"attribut": "plan"}}, 422),
        ("steps/wait-1/skip", {"where": {"result": {"step": "wait-1", "is": "due"}}}, 422),
        ("stop", {"inside": "migrate"}, 422),
        ("resume", {"timers": "forget"}, 422),
        ("resume", {}, 409),
    ],
)
async def test_what_cannot_be_asked_is_a_problem_and_orders_nothing(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], status: int
) -> None:
    await publish(client)
    answer = await client.post(f"{HELLO}/{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (await client.get(f"{HELLO}/steerings")).json()["items"] == []


@pytest.mark.parametrize("path", ["pause", "resume", "stop", "steps/wait-1/skip"])
async def test_an_unknown_journey_is_a_problem(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(f"/v1/journeys/nowhere/{path}")).json()["type"] == "/problems/unknown-journey"


async def test_a_repetition_under_the_same_key_orders_once(client: httpx.AsyncClient) -> None:
    await publish(client)
    key = {"Idempotency-Key": "pause-1"}
    first, again = [await client.post(f"{HELLO}/pause", headers=key) for _ in range(2)]
    assert (first.status_code, again.status_code, again.json()) == (202, 202, first.json())


async def test_authors_do_not_steer(app: Any, client: httpx.AsyncClient, sessions: Sessions) -> None:
    await put(client, DOCUMENT)
    async with caller(app, await a_key(sessions, Scope.AUTHOR)) as author:
        assert (await author.post(f"{HELLO}/pause")).status_code == 403
