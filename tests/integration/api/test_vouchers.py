"""Voucher pools and vouchers over HTTP."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from crm.models.event import Event
from crm.vouchers import IssueKey, VoucherRepository
from kit.clock import wall_clock
from kit.database import Sessions
from tests.support.builders import a_contact, a_live_journey, an_enrollment

POOL = "/v1/voucher-pools/welcome"


async def issued(sessions: Sessions, *, valid: timedelta | None = timedelta(days=30)) -> str:
    """The code of a voucher that a contact was given a moment ago."""
    now = wall_clock()
    async with sessions.begin() as session:
        contact = await a_contact(session)
        enrollment = await an_enrollment(session, contact.id, await a_live_journey(session, None))
        vouchers = VoucherRepository(session)
        drawn = await vouchers.draw("welcome")
        assert drawn is not None
        key, expires_at = IssueKey(enrollment.id, "gift", 1), now + valid if valid else None
        assert await vouchers.issue(drawn, key, contact.id, now=now, expires_at=expires_at)
        return drawn.code


async def redeemed(client: httpx.AsyncClient, code: str, reference: str = "order-1") -> httpx.Response:
    return await client.post(f"/v1/vouchers/{code}/redeem", json={"reference": reference})


async def events(sessions: Sessions) -> list[Event]:
    async with sessions() as session:
        return list(await session.scalars(select(Event).where(Event.name == "voucher.redeemed")))


async def test_a_pool_is_made_changed_and_counted(client: httpx.AsyncClient, sessions: Sessions) -> None:
    made = await client.put(POOL, json={"value": "10 %", "prefix": "HELLO", "limit": 2})
    assert made.status_code == 200
    assert made.json()["left"] == 2
    code = await issued(sessions)
    assert code.startswith("HELLO-")
    await redeemed(client, code)
    changed = (await client.put(POOL, json={"value": "12 %"})).json()
    assert (changed["value"], changed["limit"], changed["left"]) == ("12 %", None, None)
    read = (await client.get(POOL)).json()
    assert (read["issued"], read["redeemed"], read["revoked"]) == (1, 1, 0)
    assert (await client.get("/v1/voucher-pools")).json()["items"] == [read]


async def test_imported_codes_are_a_stock_and_count_once(client: httpx.AsyncClient, sessions: Sessions) -> None:
    first = await client.put(POOL, json={"value": "10 %", "codes": ["abc 1", "ABC1", "DEF2"]})
    assert (first.json()["added"], first.json()["left"]) == (2, 2)
    again = await client.put(POOL, json={"value": "10 %", "codes": ["DEF2", "GHI3"]})
    assert (again.json()["added"], again.json()["left"]) == (1, 3)
    assert await issued(sessions) == "ABC1"
    assert (await client.get(POOL)).json()["left"] == 2
    other = await client.put("/v1/voucher-pools/other", json={"value": "5 %", "codes": ["ABC1"]})
    assert other.status_code == 409
    generated = await client.put(POOL, json={"value": "10 %"})
    assert generated.status_code == 409
    assert "imported" in generated.json()["detail"]


async def test_a_voucher_is_redeemed_once_and_journeys_hear_of_it(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await client.put(POOL, json={"value": "10 %"})
    code = await issued(sessions)
    first = await redeemed(client, f" {code.lower()} ")
    assert first.status_code == 200
    assert first.json()["redeemed_at"]
    assert (await redeemed(client, code)).json() == first.json()
    another = await redeemed(client, code, "order-2")
    assert (another.status_code, another.json()["type"]) == (409, "/problems/voucher-redeemed")
    (event,) = await events(sessions)
    assert str(event.contact_id) == first.json()["contact_id"]
    properties = {"pool": "welcome", "step": "gift", "reference": "order-1"}
    assert properties.items() <= event.properties.items()
    assert code not in str(event.properties)


async def test_what_expired_was_revoked_or_never_given_is_refused_with_its_reason(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await client.put(POOL, json={"value": "10 %"})
    expired = await redeemed(client, await issued(sessions, valid=-timedelta(seconds=1)))
    assert expired.json()["type"] == "/problems/voucher-expired"
    code = await issued(sessions, valid=None)
    for _ in range(2):
        revoked = await client.post(f"/v1/vouchers/{code}/revoke", json={"because": "returned"})
        assert revoked.json()["revoked_at"]
    assert (await redeemed(client, code)).json()["type"] == "/problems/voucher-revoked"
    unknown = await redeemed(client, "NOTHING")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/unknown-voucher")
    slip = code[:-1] + ("2" if code[-1] != "2" else "3")
    assert "mistyped" in (await redeemed(client, slip)).json()["detail"]
    assert await events(sessions) == []


async def test_a_code_nobody_was_given_cannot_be_redeemed_and_one_revoked_in_stock_is_never_given(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await client.put(POOL, json={"value": "10 %", "codes": ["A1", "B2"]})
    assert (await redeemed(client, "A1")).status_code == 404
    await client.post("/v1/vouchers/A1/revoke", json={"because": "leaked"})
    assert await issued(sessions) == "B2"
    assert (await client.get(POOL)).json()["left"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"value": ""}, "/value"),
        ({"value": "10 %", "prefix": "lower"}, "/prefix"),
        ({"value": "10 %", "limit": 0}, "/limit"),
        ({"value": "10 %", "codes": ["a/b"]}, "/codes/0"),
    ],
)
async def test_what_no_pool_can_be_is_told_by_field(
    client: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    answer = await client.put(POOL, json=body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_an_unknown_pool_is_a_problem_document(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/voucher-pools/nothing")).json()["type"] == "/problems/unknown-voucher-pool"
