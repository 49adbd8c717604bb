"""Tasks over HTTP: found, completed once, cancelled."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest_asyncio
from sqlalchemy import select

from crm.models.access import AuditEntry
from crm.models.event import Event
from crm.models.task import Task
from crm.tasks import NewTask, TaskRepository
from kit.database import Sessions
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment

NOTHING = "0199f5c1-7c1e-7a10-9d6b-3f2a8e5b1c4d"


@pytest_asyncio.fixture
async def made(sessions: Sessions) -> list[Task]:
    """Three tasks of one contact, two of them for sales, the first due first."""
    async with sessions.begin() as session:
        contact = await a_contact(session)
        enrollment = await an_enrollment(session, contact.id, await a_live_journey(session))
        repository = TaskRepository(session)
        owners = {"call": "sales", "write": "sales", "look": "service"}
        return [
            await repository.create(_new(contact.id, enrollment.id, step, owner, number))
            for number, (step, owner) in enumerate(owners.items())
        ]


def _new(contact_id: UUID, enrollment_id: UUID, step: str, owner: str, number: int) -> NewTask:
    return NewTask(
        contact_id=contact_id,
        enrollment_id=enrollment_id,
        journey_key="welcome-test",
        step=step,
        iteration=1,
        kind="todo",
        title=step.title(),
        details="",
        owner=owner,
        due_at=SOME_DAY + timedelta(days=number),
        cancel_at_end=False,
        created_at=SOME_DAY,
    )


async def listed(client: httpx.AsyncClient, **params: Any) -> list[str]:
    answer = await client.get("/v1/tasks", params=params)
    assert answer.status_code == 200, answer.text
    return [item["step"] for item in answer.json()["items"]]


async def test_tasks_are_found_by_everything_people_ask_for(client: httpx.AsyncClient, made: list[Task]) -> None:
    await client.post(f"/v1/tasks/{made[1].id}/done", json={})
    assert await listed(client) == ["call", "write", "look"]
    assert await listed(client, owner="sales") == ["call", "write"]
    assert await listed(client, owner="sales", state="open") == ["call"]
    assert await listed(client, state="done") == ["write"]
    assert await listed(client, contact_id=str(made[0].contact_id)) == ["call", "write", "look"]
    assert await listed(client, contact_id=NOTHING) == []
    assert await listed(client, journey="welcome-test") == ["call", "write", "look"]
    assert await listed(client, journey="other") == []
    assert await listed(client, due_before="2026-03-03T00:00:00Z") == ["call"]


async def test_pages_follow_one_another(client: httpx.AsyncClient, made: list[Task]) -> None:
    first = (await client.get("/v1/tasks", params={"limit": 2})).json()
    rest = (await client.get("/v1/tasks", params={"limit": 2, "cursor": first["next"]})).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == [str(task.id) for task in made]
    assert rest["next"] is None


async def test_done_is_done_once_and_journeys_hear_the_outcome(
    client: httpx.AsyncClient, sessions: Sessions, made: list[Task]
) -> None:
    address = f"/v1/tasks/{made[0].id}"
    first = await client.post(f"{address}/done", json={"outcome": "reached"})
    again = await client.post(f"{address}/done", json={"outcome": " reached "})
    assert first.status_code == 200
    assert first.json() == again.json()
    assert (first.json()["state"], first.json()["outcome"]) == ("done", "reached")
    assert first.json()["done_by"].startswith("key:")

    other = await client.post(f"{address}/done", json={"outcome": "not reached"})
    cancelled = await client.post(f"{address}/cancel", json={})
    assert (other.status_code, cancelled.status_code) == (409, 409)
    assert "done already with the outcome 'reached'" in other.json()["detail"]

    async with sessions() as session:
        (event,) = await session.scalars(select(Event).where(Event.name == "task.done"))
        audited = list(await session.scalars(select(AuditEntry.action).where(AuditEntry.target.like("task:%"))))
    assert event.event_id == f"task.done:{made[0].id}"
    assert event.properties["outcome"] == "reached"
    assert (event.properties["step"], event.properties["enrollment"]) == ("call", str(made[0].enrollment_id))
    assert audited == ["task.done"]


async def test_a_cancelled_task_tells_why_and_cannot_be_done(client: httpx.AsyncClient, made: list[Task]) -> None:
    address = f"/v1/tasks/{made[0].id}"
    cancelled = await client.post(f"{address}/cancel", json={"reason": "Has called by himself."})
    assert (cancelled.json()["state"], cancelled.json()["outcome"]) == ("cancelled", "Has called by himself.")
    assert (await client.post(f"{address}/done", json={})).status_code == 409


async def test_of_no_task_nothing_can_be_done(client: httpx.AsyncClient) -> None:
    for word in ("done", "cancel"):
        assert (await client.post(f"/v1/tasks/{NOTHING}/{word}", json={})).status_code == 404
