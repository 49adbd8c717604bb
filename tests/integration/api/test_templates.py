"""Which templates a journey sends, over HTTP. What is sent is tested with `messaging.pins`."""

import httpx
import pytest
from sqlalchemy import update

from kit.database import Sessions
from messaging.models import Template
from tests.integration.api.test_journeys import put
from tests.integration.api.test_publication import publish

pytestmark = pytest.mark.usefixtures("templates")

HELLO = "/v1/journeys/hello"


async def newer(sessions: Sessions, **changes: object) -> None:
    """A second version of `welcome`, in one language, that differs by this."""
    async with sessions.begin() as session:
        old = await session.get_one(Template, ("welcome", 1, "en"))
        columns = {column.key: getattr(old, column.key) for column in Template.__table__.columns}
        session.add(Template(**{**columns, "version": 2, **changes}))


async def test_what_is_sent_and_what_is_newest_is_shown_and_moved(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await publish(client)
    await newer(sessions)
    shown = {"journey_version": 1, "template": "welcome", "version": 1, "newest": 2}
    assert (await client.get(f"{HELLO}/templates")).json()["items"] == [shown]
    assert (await client.post(f"{HELLO}/templates/refresh")).json()["items"] == [shown]
    assert (await client.get(f"{HELLO}/templates")).json()["items"] == [{**shown, "version": 2}]
    assert (await client.post(f"{HELLO}/templates/refresh")).json()["items"] == []


async def test_what_asks_for_more_is_a_problem_with_the_way(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await publish(client)
    await newer(sessions, required=["entry.voucher"])
    refused = await client.post(f"{HELLO}/templates/refresh")
    assert refused.status_code == 422
    assert "entry.voucher" in refused.json()["errors"][0]["what"]
    assert (await client.get(f"{HELLO}/templates")).json()["items"][0]["version"] == 1


async def test_a_template_that_needs_another_consent_is_refused(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await publish(client)
    await newer(sessions)
    async with sessions.begin() as session:
        await session.execute(update(Template).where(Template.version == 2).values(message_class="sales"))
    refused = await client.post(f"{HELLO}/templates/refresh")
    assert (refused.status_code, "sales message" in refused.json()["errors"][0]["what"]) == (422, True)


async def test_publishing_the_same_again_moves_what_is_sent(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await publish(client)
    await newer(sessions)
    await put(client)
    assert (await client.post(f"{HELLO}/publish")).status_code == 200
    assert (await client.get(f"{HELLO}/templates")).json()["items"][0]["version"] == 2


async def test_an_unknown_journey_is_a_problem(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/journeys/nowhere/templates")).status_code == 404
    assert (await client.post("/v1/journeys/nowhere/templates/refresh")).status_code == 404
