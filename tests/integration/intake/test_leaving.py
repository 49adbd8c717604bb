"""The exit condition: judged at the door and at each change; whoever it holds for leaves at once, at whatever step."""

from datetime import timedelta
from typing import Any

import pytest

from crm.scoring import ScoringRepository
from intake.models import OutboxEntry
from journeys.migration import Inside, Treatment
from journeys.scoring import PointsModel
from tests.integration.intake.test_consent_on_the_way import CONFIRMED, MARKETING, stands, tell
from tests.integration.intake.test_moves import PAUSE, REST, Moving, moving
from tests.support.intake import Intake
from tests.support.temporal import eventually
from workflows.messages import EXIT_REQUESTED

__all__ = ["moving"]

PRO: dict[str, Any] = {"attribute": "plan", "is": "pro"}


async def exits(intake: Intake) -> list[str]:
    """Why Temporal is told to end enrollments, in order."""
    told = [entry.payload for entry in await intake.rows(OutboxEntry)]
    return [payload["reason"] for payload in told if EXIT_REQUESTED in payload.get("criteria", [])]


async def test_a_change_that_has_it_hold_ends_a_running_wait_and_the_decision_says_why(moving: Moving) -> None:
    await moving.publish(steps=[PAUSE], exit_when=PRO)
    [enrollment] = await moving.enter()
    await tell(moving, enrollment, "contact.identified", {"plan": "free"})
    await stands(moving, "pause")
    await tell(moving, enrollment, "contact.identified", {"plan": "pro"})
    assert (await stands(moving, None, "exited")).outcome.startswith("exit condition holds: ")


async def test_whoever_it_holds_for_already_does_not_enter(intake: Intake) -> None:
    await intake.publish(exit_when={"any": [PRO, {"event": "order.refunded"}]})
    pro, refunded = await intake.contact(plan="pro"), await intake.contact()
    await intake.tell(refunded, "order.refunded", {"order_id": "o-0"}, ago=timedelta(days=1))
    for contact in (pro, refunded):
        await intake.tell(contact, "order.placed", {"order_id": "o-1"})
    # What happened before the entry does not count, as in every condition of a journey.
    assert [one.contact_id for one in await intake.enrollments()] == [refunded]
    assert [reason for reason, _ in await intake.refusals()] == ["exit_already_met"]


@pytest.mark.parametrize(
    ("condition", "told", "leaves"),
    [
        ({"event": "page.viewed", "at_least": 2}, ["page.viewed"], False),
        ({"event": "page.viewed", "at_least": 2}, ["page.viewed", "page.viewed"], True),
        ({"event": "page.viewed", "where": {"order": "$entry.order_id"}}, ["page.viewed"], True),
        ({"score": {"model": "visits", "at_least": 10}}, ["page.viewed"], True),
        ({"score": {"model": "visits", "at_least": 11}}, ["page.viewed"], False),
        ({"attribute": "visits", "is": {"at_least": 1}}, ["page.viewed"], False),
        ({"not": {"consent": {"purpose": "marketing"}}}, ["page.viewed"], False),
    ],
)
async def test_it_is_judged_by_what_it_asks_about_and_by_nothing_else(
    intake: Intake, condition: dict[str, Any], told: list[str], *, leaves: bool
) -> None:
    model = {"key": "visits", "name": "V", "rules": [{"key": "v", "event": "page.viewed", "points": 10}]}
    async with intake.sessions.begin() as session:
        await ScoringRepository(session).publish(PointsModel.model_validate(model))
    contact = await intake.contact()
    await intake.tell(contact, "consent.granted", {"purpose": "marketing", "channel": "email"})
    await intake.publish(exit_when=condition)
    await intake.tell(contact, "order.placed", {"order_id": "o-1"})
    for name in told:
        await intake.tell(contact, name, {"order": "o-1"})
    assert bool(await exits(intake)) is leaves


async def test_a_withdrawal_that_takes_away_the_ground_elsewhere_has_the_condition_asked_all_the_same(
    intake: Intake,
) -> None:
    contact = await intake.contact()
    await intake.tell(contact, "consent.granted", MARKETING)
    await intake.publish(steps=[CONFIRMED], exit=[], goal=None, exit_when={"not": {"consent": MARKETING}})
    await intake.tell(contact, "order.placed", {"order_id": "o-1"})
    await intake.tell(contact, "consent.withdrawn", MARKETING)
    [told] = [entry.payload for entry in await intake.rows(OutboxEntry) if "exit:requested" in str(entry.payload)]
    assert "exit_at" not in told or "confirmed" in told["exit_at"]
    assert told["reason"].startswith("exit condition holds: ")


async def test_what_cannot_be_judged_ends_nothing(intake: Intake) -> None:
    await intake.publish(exit_when={"attribute": "visits", "is": {"at_least": 1}})
    contact = await intake.contact()
    await intake.tell(contact, "order.placed", {"order_id": "o-1"})
    await intake.tell(contact, "contact.identified", {"visits": "many"})
    assert not await exits(intake)
    await intake.tell(contact, "contact.identified", {"visits": 3})
    assert len(await exits(intake)) == 1


async def test_one_that_only_the_newer_version_has_ends_those_it_holds_for_when_they_arrive(moving: Moving) -> None:
    await moving.publish(steps=[PAUSE])
    first, second = await moving.enter(2)
    await tell(moving, first, "contact.identified", {"plan": "pro"})
    await moving.publish(steps=[PAUSE, REST], exit_when=PRO)
    await moving.carry()

    async def first_has_left() -> bool:
        return [one.id for one in await moving.intake.enrollments() if one.ended_at] == [first.id]

    await eventually(first_has_left)
    found = {one.id: (one.version, one.state) for one in await moving.in_version(2)}
    assert found == {first.id: (2, "exited"), second.id: (2, "waiting")}


async def test_who_stays_in_the_older_version_is_not_ended_by_the_newer_one(moving: Moving) -> None:
    await moving.publish(steps=[PAUSE])
    [enrollment] = await moving.enter()
    await tell(moving, enrollment, "contact.identified", {"plan": "pro"})

    await moving.publish(Treatment(Inside.FINISH), steps=[PAUSE, REST], exit_when=PRO)
    await moving.carry()
    await tell(moving, enrollment, "contact.identified", {"plan": "free"})
    await tell(moving, enrollment, "contact.identified", {"plan": "pro"})
    assert (await stands(moving, "pause")).version == 1
