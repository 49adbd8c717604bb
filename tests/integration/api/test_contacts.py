"""Contacts over HTTP: write, find, read; consent and suppression."""

from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from crm.models.access import AuditEntry
from crm.models.event import Event
from crm.scoring import ScoringRepository
from intake.consumer import IntakeConsumer
from journeys.causes import Origin, event_id_of
from journeys.scoring import PointsModel
from kit.clock import wall_clock
from kit.database import Sessions
from kit.settings import Settings
from messaging.models import Suppression
from tests.support.builders import a_contact, a_live_journey, an_enrollment, an_event

ADA = {"user_id": "u1", "traits": {"email": "Ada@example.com", "first_name": "Ada", "plan": "pro"}}
NOBODY = "0199f5c1-7c1e-7a10-9d6b-3f2a8e5b1c4d"


async def event_names(sessions: Sessions) -> list[str]:
    async with sessions() as session:
        return list(await session.scalars(select(Event.name).order_by(Event.sequence)))


async def test_a_contact_is_made_then_changed_and_journeys_hear_of_it(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    made = await client.put("/v1/contacts", json=ADA)
    assert made.status_code == 201
    assert made.json()["created"] is True
    assert made.json()["changed"] == ["email", "first_name", "plan"]
    changed = await client.put("/v1/contacts", json={"user_id": "u1", "traits": {"plan": None, "first_name": "Ada"}})
    assert changed.status_code == 200
    assert changed.json()["changed"] == ["plan"]
    assert changed.json()["contact"]["attributes"] == {}
    assert await event_names(sessions) == ["contact.updated", "contact.updated"]


async def test_writing_what_stands_already_tells_nobody(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await client.put("/v1/contacts", json=ADA)
    answer = await client.put("/v1/contacts", json=ADA)
    assert answer.json()["changed"] == []
    assert await event_names(sessions) == ["contact.updated"]


async def test_one_unusable_trait_keeps_all_from_being_written(client: httpx.AsyncClient) -> None:
    traits = {"email": "no address", "time_zone": "Mars", "first_name": "Ada"}
    answer = await client.put("/v1/contacts", json={"user_id": "u1", "traits": traits})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["/traits/email", "/traits/time_zone"]
    assert (await client.get("/v1/contacts", params={"user_id": "u1"})).json()["items"] == []


async def test_quiet_hours_are_checked_when_they_are_written(client: httpx.AsyncClient) -> None:
    wrong = await client.put("/v1/contacts", json={"user_id": "u1", "traits": {"quiet_hours": "at night"}})
    assert wrong.status_code == 422
    (error,) = wrong.json()["errors"]
    assert error["field"] == "/traits/quiet_hours"
    assert 'such as "21:00-08:00"' in wrong.text.replace("\\", "")
    right = await client.put("/v1/contacts", json={"user_id": "u1", "traits": {"quiet_hours": "21:00 - 8:00"}})
    assert right.json()["contact"]["attributes"] == {"quiet_hours": "21:00-08:00"}


@pytest.mark.parametrize("params", [{"user_id": "u1"}, {"email": "ADA@example.com"}])
async def test_a_contact_is_found_by_its_names(client: httpx.AsyncClient, params: dict[str, str]) -> None:
    made = (await client.put("/v1/contacts", json=ADA)).json()["contact"]
    assert (await client.get("/v1/contacts", params=params)).json()["items"] == [made]
    names = [{"kind": "email", "value": "ada@example.com"}, {"kind": "user_id", "value": "u1"}]
    assert (await client.get(f"/v1/contacts/{made['id']}")).json() == {**made, "names": names}


async def test_pages_follow_one_another_to_the_end(client: httpx.AsyncClient) -> None:
    for number in range(5):
        await client.put("/v1/contacts", json={"user_id": f"u{number}"})
    seen, cursor = [], None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/v1/contacts", params=params)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen)


async def test_the_history_of_a_contact_reads_backwards_in_pages(client: httpx.AsyncClient) -> None:
    for number in range(3):
        await client.post("/v1/track", json={"userId": "u1", "event": f"e{number}"})
    contact = (await client.get("/v1/contacts", params={"user_id": "u1"})).json()["items"][0]["id"]
    first = (await client.get(f"/v1/contacts/{contact}/events", params={"limit": 2})).json()
    assert [item["name"] for item in first["items"]] == ["e2", "e1"]
    rest = (await client.get(f"/v1/contacts/{contact}/events", params={"limit": 2, "cursor": first["next"]})).json()
    assert [item["name"] for item in rest["items"]] == ["e0"]
    assert rest["next"] is None


async def test_an_event_of_a_step_tells_which_step_it_follows_from(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    async with sessions.begin() as session:
        contact = await a_contact(session)
        enrollment = await an_enrollment(session, contact.id, await a_live_journey(session))
        origin = Origin(enrollment.id, "add", 2)
        told: dict[str, Any] = {"name": "list.joined", "properties": {"list": "vip"}}
        await an_event(session, contact.id, **told, event_id=event_id_of("list.joined", origin), source="derived")
        # A producer may write what it likes; only what the product itself has derived is believed.
        await an_event(session, contact.id, **told, event_id=event_id_of("list.joined", origin._replace(iteration=3)))
    items = (await client.get(f"/v1/contacts/{contact.id}/events")).json()["items"]
    assert [item["follows_from"] for item in items] == [
        None,
        {"enrollment_id": str(enrollment.id), "step": "add", "iteration": 2},
    ]


async def test_a_score_comes_with_its_reasons(client: httpx.AsyncClient, sessions: Sessions) -> None:
    contact = (await client.put("/v1/contacts", json={"user_id": "u1"})).json()["contact"]["id"]
    model = PointsModel.model_validate(
        {"key": "interest", "name": "Interest", "rules": [{"key": "ordered", "event": "order.placed", "points": 20}]}
    )
    async with sessions.begin() as session:
        scoring = ScoringRepository(session)
        await scoring.publish(model)
        await scoring.apply(contact, [await an_event(session, contact, event_id="e1")])
    (score,) = (await client.get(f"/v1/contacts/{contact}/score")).json()["items"]
    assert score["points"] == 20
    assert [(entry["rule_key"], entry["event_id"], entry["points"]) for entry in score["entries"]] == [
        ("ordered", "e1", 20)
    ]


@pytest.mark.parametrize("what", ["", "/events", "/enrollments", "/score", "/consents"])
async def test_a_contact_that_does_not_exist_is_a_problem(client: httpx.AsyncClient, what: str) -> None:
    answer = await client.get(f"/v1/contacts/{NOBODY}{what}")
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/unknown-contact"


async def test_consent_stands_from_the_answer_on_falls_with_its_withdrawal_and_is_recorded_once(
    client: httpx.AsyncClient, sessions: Sessions, settings: Settings
) -> None:
    contact = (await client.put("/v1/contacts", json={"user_id": "u1"})).json()["contact"]["id"]
    declared = {"purpose": "marketing", "state": "granted", "source": "checkout", "wording": "Yes please"}
    granted = await client.post(f"/v1/contacts/{contact}/consents", json=declared)
    assert granted.status_code == 201
    assert granted.json() == {"changed": True, "standing": [{"purpose": "marketing", "channel": "email"}]}
    withdrawn = await client.post(
        f"/v1/contacts/{contact}/consents", json={"purpose": "marketing", "state": "withdrawn"}
    )
    assert withdrawn.json() == {"changed": True, "standing": []}
    consents = (await client.get(f"/v1/contacts/{contact}/consents")).json()
    assert consents["standing"] == []
    assert [(one["state"], one["source"], one["wording"]) for one in consents["history"]] == [
        ("withdrawn", "api", None),
        ("granted", "checkout", "Yes please"),
    ]
    assert await event_names(sessions) == ["consent.granted", "consent.withdrawn"]
    await IntakeConsumer(sessions, settings.database_url, wall_clock).drain()
    assert (await client.get(f"/v1/contacts/{contact}/consents")).json() == consents


async def test_a_suppressed_address_is_kept_as_a_digest_only(client: httpx.AsyncClient, sessions: Sessions) -> None:
    body = {"address": "ada@example.com", "reason": "complaint"}
    assert (await client.post("/v1/suppressions", json=body)).json() == {"suppressed": True, "added": True}
    assert (await client.post("/v1/suppressions", json=body)).json() == {"suppressed": True, "added": False}
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Suppression)) == 1
        entries = (await session.scalars(select(AuditEntry))).all()
    assert "ada" not in " ".join(f"{entry.target} {entry.details}" for entry in entries)


async def test_an_address_is_taken_off_the_suppression_list_and_that_is_noted(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    body = {"address": "ada@example.com", "reason": "complaint"}
    await client.post("/v1/suppressions", json=body)
    lifted = await client.post("/v1/suppressions/lift", json={**body, "reason": "a mistake"})
    assert (lifted.status_code, lifted.json()) == (200, {"suppressed": False, "removed": True})
    assert (await client.post("/v1/suppressions/lift", json=body)).json()["removed"] is False
    assert (await client.post("/v1/suppressions", json=body)).json()["added"] is True
    async with sessions() as session:
        noted = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "address.lift"))).first()
    assert noted is not None
    assert noted.details == {"reason": "a mistake", "removed": True}
