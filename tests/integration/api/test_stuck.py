"""GET /v1/stuck: who should have gone on, and what does not work for everybody."""

from datetime import timedelta
from typing import Any

import httpx

from crm.access import Scope
from intake.models import StuckWatch
from journeys.outcomes import JourneyState
from kit.clock import wall_clock
from kit.database import Sessions
from tests.support.api import a_key
from tests.support.builders import a_contact, a_live_journey, an_enrollment


async def some_stuck(sessions: Sessions, number: int = 3) -> None:
    """So many parked, one overdue, one that waits as it should; looked for a moment ago."""
    now = wall_clock()
    async with sessions.begin() as session:
        version = await a_live_journey(session)
        for days in range(number):
            contact = await a_contact(session)
            parked = await an_enrollment(
                session,
                contact.id,
                version,
                state=JourneyState.NEEDS_ATTENTION,
                step="mail",
                entered_at=now - timedelta(days=days + 1),
            )
            parked.attention = "no such template"
        for due_at in (now - timedelta(hours=1), now + timedelta(hours=1)):
            contact = await a_contact(session)
            waiting = await an_enrollment(session, contact.id, version, state=JourneyState.WAITING)
            waiting.due_at = due_at
        session.add(StuckWatch(id=1, looked_at=now, closed_seen_until=now))


async def listed(client: httpx.AsyncClient, **asked: Any) -> list[tuple[str, str | None]]:
    """Kind and step of all that is listed, page by page."""
    found, cursor = [], None
    while True:
        answer = await client.get("/v1/stuck", params={**asked, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        found += [(item["kind"], item["step"]) for item in answer.json()["items"]]
        if (cursor := answer.json()["next"]) is None:
            return found


async def test_those_who_are_stuck_are_listed_longest_first_with_what_to_do(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await some_stuck(sessions)
    answer = (await client.get("/v1/stuck")).json()
    assert [item["kind"] for item in answer["items"]] == ["needs_attention"] * 3 + ["overdue"]
    assert answer["installation"] == []
    first = answer["items"][0]
    assert (first["step"], first["reason"], first["journey_key"]) == ("mail", "no such template", "welcome-test")
    assert "retry the step" in first["remedy"]
    assert await listed(client, limit=1) == [("needs_attention", "mail")] * 3 + [("overdue", "pause")]


async def test_a_kind_or_a_journey_can_be_asked_for(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await some_stuck(sessions)
    assert await listed(client, kind=["overdue", "not_started"]) == [("overdue", "pause")]
    assert await listed(client, journey="other") == []
    assert (await client.get("/v1/stuck", params={"kind": "lazy"})).status_code == 422
    assert (await client.get("/v1/stuck", params={"cursor": "eyJhZnRlciI6ICJ4In0="})).status_code == 422


async def test_while_nobody_watches_that_is_said(client: httpx.AsyncClient) -> None:
    [halt] = (await client.get("/v1/stuck")).json()["installation"]
    assert (halt["kind"], halt["since"]) == ("unwatched", None)
    assert "any role runs" in halt["remedy"]


async def test_it_is_for_those_who_may_read(client: httpx.AsyncClient, sessions: Sessions) -> None:
    key = await a_key(sessions, Scope.TRACK)
    assert (await client.get("/v1/stuck", headers={"Authorization": f"Bearer {key}"})).status_code == 403


async def test_explaining_one_says_that_it_is_stuck(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await some_stuck(sessions, 1)
    items = (await client.get("/v1/enrollments")).json()["items"]
    kinds = [(await client.get(f"/v1/enrollments/{item['id']}/explain")).json()["stuck"] for item in items]
    assert kinds == ["needs_attention", "overdue", None]


async def test_those_who_failed_for_a_reason_are_counted_and_retried(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await some_stuck(sessions)
    path = "/v1/journeys/welcome-test/steps/mail/retry"
    for attention, count in (("no such", 3), ("other", 0), ("100%", 0)):
        answer = await client.post(path, json={"plan": True, "attention": attention})
        assert (answer.status_code, answer.json()["count"]) == (200, count)
    answer = await client.post(path, json={"attention": "no such", "reason": "mended"})
    assert answer.status_code == 202
    order = answer.json()["steering"]
    assert (order["action"], order["parked"], order["attention"]) == ("retry", True, "no such")
