"""Every listing of the API, found by walking its document: read one by one with `cursor`, it is the whole list."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.journey import JourneyVersion, VersionMove
from crm.models.stage import StageChange
from crm.models.steering import Steer
from crm.segments import SegmentRepository
from crm.steering import AtStep, Operator, SteeringRepository
from crm.tasks import NewTask, TaskRepository
from crm.vouchers import VoucherRepository
from intake.models import EntryRefusal
from journeys.migration import Inside, Timers
from journeys.segments import Backfill, Segment
from journeys.vouchers import VoucherPool
from kit.database import Sessions
from messaging.models import MessageRecord, MessageState
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment, an_event

THREE = range(3)
WHOLE = {
    "/v1/contacts/{contact_id}/score": "a line per points model",
    "/v1/enrollments/{enrollment_id}/decisions": "what one run through a journey decided",
    "/v1/journeys/{key}/templates": "what the versions send that hold somebody",
    "/v1/reports/goal-types": "a line per type of goal",
}
"""What is answered in one piece, and what bounds it."""


@pytest_asyncio.fixture
async def three_of_each(sessions: Sessions) -> Mapping[str, str]:
    """Three rows of everything that is listed, those of a contact of one; answers what to put into the addresses."""
    async with sessions.begin() as session:
        contact = (await a_contact(session)).id
        version = await a_live_journey(session)
        for number in THREE:
            await a_contact(session)
            await a_live_journey(session, {"key": f"other-{number}"})
            await an_event(session, contact)
            await _journey_of(session, contact, version, number)
            await VoucherRepository(session).put_pool(VoucherPool(key=f"pool-{number}", value="10 %"))
        for number in THREE:
            await _segment(session, number)
        return {"contact_id": str(contact), "journeys": version.journey_key, "segments": "everybody-0"}


async def _journey_of(session: AsyncSession, contact: UUID, version: JourneyVersion, number: int) -> None:
    """A run of the contact, a refused one, a message, a task and a change of stage by it, and orders on the journey."""
    key = version.journey_key
    enrollment = await an_enrollment(session, contact, version, entry_key=str(number))
    own = {"contact_id": contact, "enrollment_id": enrollment.id}
    message = {"step": "mail", "iteration": 1, "channel": "email", "template_key": "welcome"}
    refusal = {"reason": "audience", "because": "no", "at": SOME_DAY}
    moved = {"from_stage": "lead", "to_stage": "mql", "event_id": f"stage-{number}", "reason": "", "actor": "tests"}
    session.add_all(
        [
            MessageRecord(**own, **message, state=MessageState.HANDED_OVER),
            EntryRefusal(journey_key=key, version=1, contact_id=contact, **refusal),
            StageChange(**own, **moved, at=SOME_DAY),
            VersionMove(
                journey_key=key, from_version=1, to_version=1, inside=Inside.STOP, mapping={}, timers=Timers.KEEP
            ),
        ]
    )
    await TaskRepository(session).create(
        NewTask(
            **own,
            journey_key=key,
            step=f"call-{number}",
            iteration=1,
            kind="todo",
            title="Call",
            details="",
            owner="sales",
            due_at=SOME_DAY + timedelta(days=number),
            cancel_at_end=False,
            created_at=SOME_DAY,
        )
    )
    await SteeringRepository(session).steer(key, Steer.SKIP, AtStep("pause"), Operator("tests"))


async def _segment(session: AsyncSession, number: int) -> None:
    condition = {"attribute": "first_name", "is": "Ada"}
    document = {"key": f"everybody-{number}", "name": "Everybody", "condition": condition}
    await SegmentRepository(session).define(Segment.model_validate(document), backfill=Backfill.NONE, now=SOME_DAY)


def _listings(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The operations that answer a list of things, by their address."""
    schemas = document["components"]["schemas"]
    found = {}
    for path, operations in document["paths"].items():
        answer = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        named = answer.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        if "items" in schemas.get(named, {}).get("properties", {}):
            found[path] = operations["get"]
    return found


def _address(path: str, ids: Mapping[str, str]) -> str:
    thing = path.split("/")[2]
    return path.replace("{key}", ids.get(thing, "")).replace("{contact_id}", ids["contact_id"])


async def _one_by_one(client: httpx.AsyncClient, address: str) -> list[Any]:
    items: list[Any] = []
    params: dict[str, Any] = {"limit": 1}
    while True:
        answer = await client.get(address, params=params)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["items"]) <= 1
        items += answer.json()["items"]
        if answer.json()["next"] is None or len(items) > 20:
            return items
        params["cursor"] = answer.json()["next"]


async def test_every_listing_is_read_on_with_a_cursor(
    app: FastAPI, client: httpx.AsyncClient, three_of_each: Mapping[str, str]
) -> None:
    listings = _listings(app.openapi())
    assert set(WHOLE) < set(listings)
    wrong = []
    for path, asked in listings.items():
        if path in WHOLE:
            continue
        address = _address(path, three_of_each)
        whole = (await client.get(address)).json()["items"]
        takes = {one["name"] for one in asked.get("parameters", [])}
        if len(whole) < 3 or not takes >= {"limit", "cursor"} or await _one_by_one(client, address) != whole:
            wrong.append(path)
    assert wrong == []
    assert len(set(listings) - set(WHOLE)) >= 14
