"""Publishing over HTTP: looked at beforehand, on trial, promoted, rolled back, moved, with progress to be read."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from crm.access import Scope
from crm.journeys import JourneyRepository
from crm.scoring import ScoringRepository
from crm.segments import SegmentRepository
from journeys.catalogue import models
from journeys.outcomes import JourneyState
from journeys.segments import Backfill, Segment
from kit.clock import wall_clock
from kit.database import Sessions
from tests.integration.api.test_journeys import DOCUMENT, put, states
from tests.support.api import a_key, caller
from tests.support.builders import a_contact, an_enrollment, an_event

pytestmark = pytest.mark.usefixtures("templates")

LONGER = DOCUMENT.replace("2d", "3d")
WITHOUT_WAIT = DOCUMENT.replace("  - wait: 2d\n", "")


async def publish(client: httpx.AsyncClient, text: str = DOCUMENT, **how: Any) -> httpx.Response:
    assert (await put(client, text)).status_code == 200
    return await client.post("/v1/journeys/hello/publish", json=how)


async def inside(sessions: Sessions, number: int = 1, *, step: str = "wait-1", version: int = 1) -> None:
    async with sessions.begin() as session:
        found = await JourneyRepository(session).version("hello", version)
        assert found is not None
        for _ in range(number):
            contact = (await a_contact(session)).id
            enrollment = await an_enrollment(session, contact, found, state=JourneyState.WAITING, step=step)
            enrollment.due_at = enrollment.since


async def test_a_publication_is_looked_at_beforehand_and_changes_nothing(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await publish(client)
    await inside(sessions, 2)
    await put(client, LONGER)
    answer = await client.post("/v1/journeys/hello/publish/plan", json={"inside": "migrate"})
    assert answer.status_code == 200
    outlook = answer.json()
    assert (outlook["old"], outlook["new"], outlook["count"]) == (1, 2, 2)
    assert outlook["migrate"] == {"moves": 2, "no_target": 0}
    assert (outlook["finish"], outlook["stop"]) == ({"finishes": 2}, {"stops": 2})
    (step,) = outlook["steps"]
    assert (step["step"], step["doing"], step["then_doing"]) == ("wait-1", "wait 2 days", "wait 3 days")
    assert sum(step["timers"].values()) == 2
    assert await states(sessions) == [(1, "live"), (2, "draft")]


async def test_looking_ahead_names_who_would_be_lost(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await publish(client)
    await inside(sessions)
    await put(client, WITHOUT_WAIT)
    (problem,) = (await client.post("/v1/journeys/hello/publish/plan")).json()["problems"]
    assert (problem["field"], problem["what"]) == (
        "step 'wait-1'",
        "1 contact stands at it, and version 2 has no such step.",
    )
    mapped = await client.post("/v1/journeys/hello/publish/plan", json={"mapping": {"wait-1": "mail"}})
    assert mapped.json()["problems"] == []


async def test_before_anything_is_live_nobody_is_inside(client: httpx.AsyncClient) -> None:
    await put(client)
    outlook = (await client.post("/v1/journeys/hello/publish/plan")).json()
    assert (outlook["old"], outlook["new"], outlook["count"], outlook["steps"]) == (None, 1, 0, [])


@pytest.mark.parametrize(
    ("entry", "fitting"),
    [
        ("{event: order.placed}", None),
        ("{segment: {entered: buyers}}", 3),
        ("{segment: {left: buyers}}", None),
        ("{absence: {of: order.placed, for: 90d, backfill: matching}}", 2),
        ("{absence: {of: [order.placed, mail.clicked], for: 90d, backfill: none}}", 1),
        ("{absence: {of: order.placed, for: 90d, where: {amount: {at_least: 10}}, backfill: none}}", 3),
        ("{absence: {of: order.placed, for: 90d, also_without: true, backfill: none}}", 3),
        ("{absence: {of: order.placed, for: 14 weeks, backfill: matching}}", 1),
    ],
)
async def test_how_many_fit_the_entry_already_is_told_beforehand(
    client: httpx.AsyncClient, sessions: Sessions, entry: str, fitting: int | None
) -> None:
    now = wall_clock()
    async with sessions.begin() as session:
        long_ago, clicked, lately, _ = [await a_contact(session) for _ in range(4)]
        for contact, days, amount in ((long_ago, 100, 10), (clicked, 91, 10), (lately, 100, 10), (lately, 89, 5)):
            occurred = now - timedelta(days=days)
            await an_event(session, contact.id, occurred_at=occurred, properties={"amount": amount})
        await an_event(session, clicked.id, "mail.clicked", occurred_at=now - timedelta(days=1))
        segment = Segment.model_validate({"key": "buyers", "name": "B", "condition": {"event": "order.placed"}})
        await SegmentRepository(session).define(segment, backfill=Backfill.NONE, now=now)
    await put(client, f"key: hello\nname: H\nowner: crm\nentry: {entry}\nsteps: [{{wait: 1d}}]\n")
    outlook = (await client.post("/v1/journeys/hello/publish/plan")).json()
    assert outlook["fitting_already"] == fitting


async def test_without_a_draft_there_is_nothing_to_look_at(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/journeys/hello/publish/plan")).status_code == 404
    await publish(client)
    assert (await client.post("/v1/journeys/hello/publish/plan")).status_code == 409


async def test_migrating_is_refused_with_step_and_number_and_nothing_is_published(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await publish(client)
    await inside(sessions, 3)
    answer = await publish(client, WITHOUT_WAIT, inside="migrate")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["what"][:10]) == ("step 'wait-1'", "3 contacts")
    assert await states(sessions) == [(1, "live"), (2, "draft")]


async def test_those_inside_are_ordered_to_migrate_and_the_move_can_be_followed(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await publish(client)
    await inside(sessions)
    published = (await publish(client, WITHOUT_WAIT, inside="migrate", mapping={"wait-1": "mail"})).json()
    assert (published["live"]["version"], published["before"]) == (2, 1)
    (move,) = (await client.get("/v1/journeys/hello/moves")).json()["items"]
    assert move == published["move"]
    assert (move["from_version"], move["to_version"], move["done"]) == (1, 2, False)
    read = (await client.get("/v1/journeys/hello")).json()
    assert [(one["version"], one["state"], one["inside"]) for one in read["versions"]] == [
        (2, "live", 0),
        (1, "finishing", 1),
    ]


async def test_stopping_says_so_at_the_version(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await publish(client)
    await publish(client, LONGER, inside="stop")
    assert await states(sessions) == [(1, "stopped"), (2, "live")]


async def test_a_version_on_trial_is_shown_raised_and_promoted(client: httpx.AsyncClient) -> None:
    await publish(client)
    begun = (await publish(client, LONGER, share=5)).json()
    assert (begun["live"]["version"], begun["trial"]["version"], begun["trial"]["share"]) == (1, 2, 5)
    assert (await client.get("/v1/journeys")).json()["items"][0]["live"] == 1
    assert (await client.get("/v1/journeys/hello")).json()["trial"]["version"] == 2
    raised = (await client.post("/v1/journeys/hello/promote", json={"share": 50})).json()
    assert raised["trial"]["share"] == 50
    promoted = (await client.post("/v1/journeys/hello/promote")).json()
    assert (promoted["live"]["version"], promoted["trial"], promoted["before"]) == (2, None, 1)


async def test_a_rollback_goes_back_and_may_take_those_inside_along(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await publish(client)
    await publish(client, LONGER)
    await inside(sessions, version=2)
    back = (await client.post("/v1/journeys/hello/rollback", json={"inside": "migrate"})).json()
    assert (back["live"]["version"], back["before"]) == (1, 2)
    assert (back["move"]["from_version"], back["move"]["to_version"]) == (2, 1)
    assert (await client.post("/v1/journeys/hello/rollback")).status_code == 409


async def test_an_older_version_is_emptied_later(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await publish(client)
    await inside(sessions)
    await publish(client, LONGER)
    answer = await client.post("/v1/journeys/hello/moves", json={"from": 1, "inside": "stop"})
    assert (answer.status_code, answer.json()["inside"]) == (202, "stop")
    unknown = await client.post("/v1/journeys/hello/moves", json={"from": 9, "inside": "stop"})
    assert unknown.status_code == 404
    live = await client.post("/v1/journeys/hello/moves", json={"from": 2, "inside": "stop"})
    assert live.status_code == 409
    finish = await client.post("/v1/journeys/hello/moves", json={"from": 1, "inside": "finish"})
    assert finish.status_code == 422


async def test_asked_twice_under_one_key_it_is_done_once(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await publish(client)
    await publish(client, LONGER)
    key = {"Idempotency-Key": "rollback-1"}
    answers = [await client.post("/v1/journeys/hello/rollback", headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert await states(sessions) == [(1, "live"), (2, "finishing")]


async def test_who_only_reads_may_not_publish_but_may_follow_a_move(
    client: httpx.AsyncClient, app: Any, sessions: Sessions
) -> None:
    await publish(client)
    async with caller(app, await a_key(sessions, Scope.READ)) as reader:
        for path in ("publish", "publish/plan", "promote", "rollback"):
            assert (await reader.post(f"/v1/journeys/hello/{path}")).status_code == 403
        assert (await reader.get("/v1/journeys/hello/moves")).status_code == 200


async def test_a_draft_that_says_what_is_on_trial_is_looked_at_as_that_version(client: httpx.AsyncClient) -> None:
    await publish(client)
    await publish(client, LONGER, share=5)
    await put(client, LONGER)
    outlook = (await client.post("/v1/journeys/hello/publish/plan")).json()
    assert (outlook["old"], outlook["new"], outlook["trial"]) == (1, 2, 5)
    assert (await publish(client, LONGER)).json()["live"]["version"] == 2


async def test_a_share_must_be_one(client: httpx.AsyncClient) -> None:
    await publish(client)
    for share in (0, 100):
        assert (await publish(client, LONGER, share=share)).status_code == 422


STARTS = DOCUMENT + "  - start: {journey: care}\n  - recompute_score: purchases\n"


async def test_what_refers_to_something_that_does_not_exist_is_not_published(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    draft = await put(client, STARTS)
    told = [(one["severity"], one["what"]) for one in draft.json()["findings"]]
    missing = ["There is no journey 'care'.", "There is no points model 'purchases'."]
    assert [what for severity, what in told if severity == "warning" and what in missing] == missing
    refused = await client.post("/v1/journeys/hello/publish")
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/invalid-journey")
    assert [error["what"] for error in refused.json()["errors"] if error["what"] in missing] == missing
    assert await states(sessions) == [(1, "draft")]

    async with sessions.begin() as session:
        (model,) = models()
        await ScoringRepository(session).publish(model)
    assert (await put(client, DOCUMENT.replace("key: hello", "key: care"), "care")).status_code == 200
    assert (await client.post("/v1/journeys/hello/publish")).status_code == 200
