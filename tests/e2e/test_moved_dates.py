"""Journeys that wait for dates, on the real stack: dates move by events and by the contact, ends by operators."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from tests.support.stack import Customer, LiveStack, found, live_stack

pytestmark = pytest.mark.xdist_group("story")

BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
FAIR: dict[str, Any] = {
    "name": "The fair",
    "owner": "tests",
    "entry": {"event": "fair.booked", "again": {"per": "fair"}},
    "steps": [
        {
            "id": "eve",
            "wait": {
                "before": "1 day",
                "date": "$entry.starts_on",
                "at": "09:00",
                "moved_by": {"event": "fair.moved", "where": {"fair": "$entry.fair"}},
            },
            "then": [{"set": {"reminded": True}}],
            "else": [{"set": {"reminded": False}}],
        }
    ],
}
RENEWAL: dict[str, Any] = {
    "name": "The contract ends",
    "owner": "tests",
    "entry": {"event": "contract.signed"},
    "steps": [{"wait": {"before": "1 month", "date": "$contact.contract_end", "at": "10:00", "late": "now"}}],
}


@pytest_asyncio.fixture(scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LiveStack]:
    async with live_stack(tmp_path_factory.mktemp("dates"), temporal_in_memory=True) as stack:
        for key, journey in (("fair", FAIR), ("renewal", RENEWAL)):
            answer = await stack.api.put(f"/v1/journeys/{key}", json={"key": key, **journey})
            assert answer.status_code < 300, answer.text
            assert (await stack.api.post(f"/v1/journeys/{key}/publish")).status_code < 300
        yield stack


@pytest.fixture
def customer(live: LiveStack) -> Customer:
    return Customer(live)


def ahead(days: int) -> date:
    return datetime.now(BERLIN).date() + timedelta(days=days)


def on_the_wall(day: date, hour: int, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=zone)


async def due(customer: Customer, journey: str, at: datetime) -> dict[str, Any]:
    """The enrollment, as soon as it is due at this instant, in the database and in Temporal."""

    async def look() -> dict[str, Any] | None:
        enrollment = next(iter(await customer.enrollments(journey)), None)
        if enrollment is None or not enrollment["due_at"] or datetime.fromisoformat(enrollment["due_at"]) != at:
            return None
        told = await customer.live.get(f"/v1/enrollments/{enrollment['id']}/explain")
        assert datetime.fromisoformat(told["live"]["until"]) == at
        return enrollment

    return await found(look, what=lambda: f"{journey} due at {at}")


async def test_a_date_that_moves_takes_the_running_wait_along(customer: Customer) -> None:
    await customer.registers()
    await customer.does("fair.booked", {"fair": "spring", "starts_on": ahead(30).isoformat()})
    await due(customer, "fair", on_the_wall(ahead(29), 9))
    await customer.does("fair.moved", {"fair": "autumn", "starts_on": ahead(90).isoformat()})
    await customer.does("fair.moved", {"fair": "spring", "starts_on": ahead(10).isoformat()})
    await due(customer, "fair", on_the_wall(ahead(9), 9))
    await customer.does("contact.identified", {"time_zone": "Asia/Tokyo"})
    await due(customer, "fair", on_the_wall(ahead(9), 9, TOKYO))


async def test_who_books_on_the_day_itself_is_not_reminded_of_it(customer: Customer) -> None:
    await customer.registers()
    await customer.does("fair.booked", {"fair": "spring", "starts_on": ahead(0).isoformat()})
    ended = await customer.standing("fair", "completed")
    decisions = (await customer.live.get(f"/v1/enrollments/{ended['id']}/decisions"))["items"]
    assert [(item["verdict"], item["result"]) for item in decisions] == [("skipped", "late"), ("passed", "changed")]
    contact = await customer.live.get(f"/v1/contacts/{await customer.contact_id()}")
    assert contact["attributes"]["reminded"] is False


async def test_a_missing_date_is_waited_for_by_people_until_it_is_there(customer: Customer) -> None:
    await customer.registers()
    await customer.does("contract.signed")
    parked = await customer.standing("renewal", "needs_attention")
    assert parked["attention"] == "Invalid: The date 'contract_end' of the contact is missing."
    await customer.does("contact.identified", {"contract_end": ahead(400).isoformat()})
    await customer.standing("renewal", "waiting")


async def test_operators_move_the_end_of_a_wait_over_http(customer: Customer) -> None:
    await customer.registers()
    await customer.does("fair.booked", {"fair": "spring", "starts_on": ahead(30).isoformat()})
    enrollment = await due(customer, "fair", on_the_wall(ahead(29), 9))
    at = on_the_wall(ahead(20), 12)
    path = f"/v1/enrollments/{enrollment['id']}/reschedule"
    moved = await customer.live.api.post(path, json={"at": at.isoformat(), "reason": "a holiday"})
    assert moved.status_code == 200, moved.text
    await due(customer, "fair", at)
    now = await customer.live.api.post(path, json={"at": datetime.now(UTC).isoformat()})
    assert now.status_code == 200, now.text
    ended = await customer.standing("fair", "completed")
    decisions = (await customer.live.get(f"/v1/enrollments/{ended['id']}/decisions"))["items"]
    assert decisions[0]["result"] == "due"
    assert "rescheduled by " in decisions[0]["because"]
