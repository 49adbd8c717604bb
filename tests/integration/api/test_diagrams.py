"""`GET /v1/journeys/{key}/diagram.svg`: the picture of what runs, with who is where."""

from xml.etree import ElementTree as ET

import httpx
import pytest

from kit.database import Sessions
from tests.integration.api.test_journeys import put
from tests.integration.api.test_publication import LONGER, inside, publish

pytestmark = pytest.mark.usefixtures("templates")

SVG = "{http://www.w3.org/2000/svg}"


async def drawn(client: httpx.AsyncClient, query: str = "") -> list[str]:
    answer = await client.get(f"/v1/journeys/hello/diagram.svg{query}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    return ["".join(text.itertext()) for text in ET.fromstring(answer.text).iter(f"{SVG}text")]


async def test_the_live_version_is_drawn_with_who_is_where(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await publish(client)
    await inside(sessions, 2)
    await put(client, LONGER)
    shown = await drawn(client)
    assert "wait 2 days" in shown
    assert [text for text in shown if text.endswith(("waiting", "went on"))] == [
        *("0 waiting", "0 went on"),
        *("2 waiting", "0 went on"),
    ]
    assert "wait 3 days" in await drawn(client, "?version=2")


async def test_a_draft_that_was_never_live_is_drawn_too(client: httpx.AsyncClient) -> None:
    await put(client)
    assert "wait 2 days" in await drawn(client)


async def test_what_does_not_exist_is_not_drawn(client: httpx.AsyncClient) -> None:
    unknown = await client.get("/v1/journeys/hello/diagram.svg")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/unknown-journey")
    await put(client)
    version = await client.get("/v1/journeys/hello/diagram.svg?version=7")
    assert (version.status_code, version.json()["type"]) == (404, "/problems/not-found")
    assert version.json()["detail"] == "Journey hello has no version 7. Its versions are 1."
