"""What journeys brought about by the type of their goal, and journeys found by what they are for."""

from datetime import timedelta
from typing import Any

import httpx

from kit.database import Sessions
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment


def goal(kind: str) -> dict[str, Any]:
    return {"type": kind, "event": "order.placed", "within": "30d"}


async def entered(sessions: Sessions, journey: dict[str, Any], *, met: bool, holdout: bool = False) -> None:
    async with sessions.begin() as session:
        version = await a_live_journey(session, journey)
        one = await an_enrollment(session, (await a_contact(session)).id, version)
        one.holdout, one.goal_until = holdout, SOME_DAY + timedelta(days=30)
        one.goal_met_at = SOME_DAY if met else None


async def report(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/v1/reports/goal-types")
    assert answer.status_code == 200, answer.text
    return {item.pop("goal_type"): item for item in answer.json()["items"]}


async def test_an_enrollment_counts_under_the_goal_type_its_journey_had_then(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    for met in (True, True, False):
        await entered(sessions, {"key": "a", "goal": goal("sell")}, met=met)
    await entered(sessions, {"key": "b", "goal": goal("sell"), "holdout": 10}, met=True, holdout=True)
    await entered(sessions, {"key": "a", "goal": goal("serve")}, met=False)
    await entered(sessions, {"key": "c", "goal": None}, met=False)

    found = await report(client)

    assert list(found) == ["sell", "serve", "speak", "save", "sizzle"]
    counted = {
        kind: (one["journeys"], one["contacts"]["entered"], one["contacts"]["goal_met"]) for kind, one in found.items()
    }
    assert counted == {
        "sell": (2, 3, 2),
        "serve": (1, 1, 0),
        "speak": (0, 0, 0),
        "save": (0, 0, 0),
        "sizzle": (0, 0, 0),
    }
    assert found["sell"]["contacts"]["rate"] == 0.666667
    assert (found["sell"]["holdout"]["entered"], found["sell"]["holdout"]["goal_met"]) == (1, 1)
    assert found["serve"]["holdout"] is None


async def test_journeys_are_found_by_stage_and_goal_type(client: httpx.AsyncClient, sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await a_live_journey(session, {"key": "a", "goal": goal("sell"), "stages": ["lead", "customer"]})
        await a_live_journey(session, {"key": "b", "goal": goal("serve"), "stages": ["customer"]})

    async def keys(**params: str) -> list[str]:
        answer = await client.get("/v1/journeys", params=params)
        return [item["key"] for item in answer.json()["items"]]

    assert await keys(stage="customer") == ["a", "b"]
    assert await keys(stage="lead") == ["a"]
    assert await keys(goal_type="serve") == ["b"]
    assert (await client.get("/v1/journeys", params={"stage": "friend"})).status_code == 422
    (first, _) = (await client.get("/v1/journeys")).json()["items"]
    assert (first["goal_type"], first["stages"]) == ("sell", ["lead", "customer"])
