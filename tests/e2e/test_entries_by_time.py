"""Journeys entered by the time, on the real stack: silence, a date, a moment for all; also with the worker killed."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from tests.support.stack import Customer, LiveStack, live_stack

pytestmark = pytest.mark.xdist_group("story")

BERLIN = ZoneInfo("Europe/Berlin")
SOON = timedelta(seconds=8)


@pytest_asyncio.fixture(scope="module")
async def live() -> AsyncIterator[LiveStack]:
    async with live_stack(temporal_in_memory=True) as stack:
        yield stack


@pytest.fixture
def customer(live: LiveStack) -> Customer:
    return Customer(live)


async def publish(live: LiveStack, key: str, entry: Mapping[str, Any]) -> None:
    """A journey of which only the entry matters."""
    steps = [{"set": {"entered": key}}]
    journey = {"key": key, "name": key, "owner": "tests", "entry": entry, "steps": steps}
    answer = await live.api.put(f"/v1/journeys/{key}", json=journey)
    assert answer.status_code < 300, answer.text
    assert (await live.api.post(f"/v1/journeys/{key}/publish")).status_code < 300


async def test_silence_is_noticed(live: LiveStack, customer: Customer) -> None:
    await publish(live, "silence", {"absence": {"of": "app.opened", "for": "2s"}})
    await customer.registers()
    await customer.does("app.opened")
    await customer.standing("silence", "completed")


async def test_silence_is_noticed_although_the_worker_died(live: LiveStack, customer: Customer) -> None:
    await publish(live, "deaf", {"absence": {"of": "shop.visited", "for": "5s"}})
    await customer.registers()
    await customer.does("shop.visited")
    await live.kill("Worker")
    await customer.standing("deaf", "completed")


async def test_a_date_comes_where_the_contact_lives(live: LiveStack, customer: Customer) -> None:
    moment = (datetime.now(BERLIN) + SOON).replace(microsecond=0)
    await publish(live, "renewal", {"date": {"of": "contract_end", "at": f"{moment:%H:%M:%S}"}})
    await customer.registers(contract_end=f"{moment:%Y-%m-%d}")
    enrollment = await customer.standing("renewal", "completed")
    assert datetime.fromisoformat(enrollment["entered_at"]) == moment


async def test_a_broadcast_lets_everybody_in_whom_the_audience_holds_for(live: LiveStack, customer: Customer) -> None:
    other = Customer(live)
    await customer.registers(guest=True)
    await other.registers(guest=False)
    moment = (datetime.now(UTC) + SOON).replace(microsecond=0)
    audience = {"attribute": "guest", "is": True}
    await publish(live, "party", {"broadcast": {"at": moment.isoformat()}, "audience": audience})
    enrollment = await customer.standing("party", "completed")
    assert datetime.fromisoformat(enrollment["entered_at"]) == moment
    assert await other.enrollments("party") == []
