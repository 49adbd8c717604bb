"""What wakes a wait for a condition: every event that may change what it says, and nothing else."""

from typing import Any

import pytest

from crm.scoring import ScoringRepository
from journeys.scoring import PointsModel
from tests.support.intake import Intake

POINTS = PointsModel.model_validate(
    {
        "key": "lead",
        "name": "Lead",
        "rules": [{"key": "view", "event": "page.viewed", "points": 2}],
        "thresholds": [{"key": "hot", "points": 10}],
    }
)


def waiting_for(condition: dict[str, Any]) -> dict[str, Any]:
    return {"goal": None, "exit": [], "steps": [{"id": "asked", "wait_for": {"condition": condition, "up_to": "7d"}}]}


@pytest.mark.parametrize(
    ("condition", "heard"),
    [
        ({"score": {"model": "lead", "at_least": 7}}, ["page.viewed"]),
        ({"consent": {}}, ["consent.granted"]),
        ({"attribute": "plan"}, ["contact.identified"]),
        ({"event": "page.viewed"}, ["page.viewed"]),
        ({"attribute": "city"}, []),
        ({"in_list": "vip"}, []),
    ],
    ids=str,
)
async def test_it_hears_of_what_it_depends_on(intake: Intake, condition: dict[str, Any], heard: list[str]) -> None:
    async with intake.sessions.begin() as session:
        await ScoringRepository(session).publish(POINTS)
    contact = await intake.contact()
    await intake.publish(**waiting_for(condition))
    await intake.tell(contact, "order.placed")

    found = []
    for name, properties in (
        ("page.viewed", {}),
        ("consent.granted", {}),
        ("contact.identified", {"plan": "pro"}),
        ("something.else", {}),
    ):
        before = len(await intake.outbox())
        await intake.tell(contact, name, properties)
        told = [criteria for _, _, criteria in (await intake.outbox())[before:]]
        found += [name] if told else []
        assert all(name.startswith("look:asked:") for criteria in told for name in criteria)
    assert found == heard
