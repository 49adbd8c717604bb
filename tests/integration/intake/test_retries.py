"""An audience that does not hold yet is judged again as the contact changes: the event may outrun the profile."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.scoring import ScoringRepository
from crm.stages import StageRepository, Wanted
from intake.models import EntryRefusal
from journeys.scoring import PointsModel
from journeys.stages import Stage
from kit.database import Sessions
from tests.support.intake import MARKETING, NOW, Intake

PRO = {"attribute": "plan", "is": "pro"}
ENTRY = {"event": "order.placed", "audience": PRO, "retry": "30m"}
IDENTIFY: tuple[str, dict[str, Any]] = ("contact.identified", {"plan": "pro"})


async def entered_by(intake: Intake) -> list[str | None]:
    return [enrollment.entry_event_id for enrollment in await intake.enrollments()]


async def test_a_profile_that_comes_after_the_event_lets_the_contact_in_by_that_event(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry=ENTRY)

    ordered = await intake.tell(contact, "order.placed", {"order_id": "o-1"})
    assert await entered_by(intake) == []
    (refusal,) = await intake.rows(EntryRefusal)
    assert (refusal.retry_until, refusal.settled_at) == (NOW + timedelta(minutes=30), None)

    intake.now += timedelta(minutes=30)
    await intake.tell(contact, *IDENTIFY)
    (enrollment,) = await intake.enrollments()
    assert (enrollment.entry_event_id, enrollment.entered_at) == (ordered, NOW)
    assert enrollment.entry_properties == {"order_id": "o-1"}
    (refusal,) = await intake.rows(EntryRefusal)
    assert (refusal.reason, refusal.settled_at) == ("audience", intake.now)


async def test_after_the_time_the_refusal_stands(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry=ENTRY)
    ordered = await intake.tell(contact, "order.placed")

    intake.now += timedelta(minutes=30, microseconds=1)
    await intake.tell(contact, *IDENTIFY)

    assert await entered_by(intake) == []
    assert await intake.refusals() == [("audience", ordered)]


async def test_without_retry_the_refusal_stands_at_once(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry={"event": "order.placed", "audience": PRO})
    await intake.tell(contact, "order.placed")

    await intake.tell(contact, *IDENTIFY)

    assert await entered_by(intake) == []
    assert [refusal.retry_until for refusal in await intake.rows(EntryRefusal)] == [None]


async def test_an_audience_that_still_does_not_hold_adds_no_refusal(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry=ENTRY)
    ordered = await intake.tell(contact, "order.placed")

    await intake.tell(contact, "contact.identified", {"plan": "free"})
    await intake.tell(contact, "contact.identified", {"plan": "basic"})

    assert await intake.refusals() == [("audience", ordered)]


async def test_each_refused_event_is_settled_once_in_the_order_of_the_log(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry=ENTRY | {"again": "after_exit"})
    first = await intake.tell(contact, "order.placed")
    second = await intake.tell(contact, "order.placed")

    await intake.tell(contact, *IDENTIFY)
    assert await entered_by(intake) == [first]
    assert await intake.refusals() == [("audience", first), ("audience", second), ("already_running", second)]

    # What the second one came to is final: it does not slip in when the first passage is over.
    (enrollment,) = await intake.enrollments()
    await intake.end(enrollment.id, intake.now)
    await intake.tell(contact, "contact.identified", {"plan": "free"})
    await intake.tell(contact, *IDENTIFY)
    assert await entered_by(intake) == [first]


async def test_per_property_each_event_lets_in_once(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry=ENTRY | {"again": {"per": "order_id"}})
    for number in ("o-1", "o-2"):
        await intake.tell(contact, "order.placed", {"order_id": number})

    await intake.tell(contact, *IDENTIFY)

    assert [enrollment.entry_key for enrollment in await intake.enrollments()] == ["o-1", "o-2"]


async def test_who_has_met_the_goal_meanwhile_is_not_let_in(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry=ENTRY)
    ordered = await intake.tell(contact, "order.placed", ago=timedelta(hours=1))
    await intake.tell(contact, "review.created")

    await intake.tell(contact, *IDENTIFY)

    assert await entered_by(intake) == []
    assert await intake.refusals() == [("audience", ordered), ("goal_already_met", ordered)]


async def test_the_version_that_is_live_now_decides(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry=ENTRY)
    await intake.tell(contact, "order.placed")

    await intake.publish(entry={"event": "order.placed", "audience": PRO}, description="No retry any more.")
    await intake.tell(contact, *IDENTIFY)
    assert await entered_by(intake) == []

    await intake.publish(entry=ENTRY, description="And yet.")
    await intake.tell(contact, "contact.updated", {"changed": ["plan"]})
    (enrollment,) = await intake.enrollments()
    assert enrollment.version == 3


@pytest.mark.parametrize(
    ("audience", "change"),
    [
        (MARKETING, ("consent.granted", {"purpose": "marketing", "channel": "email"})),
        (MARKETING, ("contact.registered", {"consent": True})),
        ({"event": "terms.accepted"}, ("terms.accepted", {})),
        ({"score": {"model": "lead", "at_least": 14}}, ("page.viewed", {})),
        ({"all": [PRO, {"attribute": "city", "is": "Kiel"}]}, ("contact.identified", {"plan": "pro", "city": "Kiel"})),
    ],
)
async def test_whatever_the_audience_asks_for_may_come_later(
    intake: Intake, audience: dict[str, Any], change: tuple[str, dict[str, Any]]
) -> None:
    model = {"key": "lead", "name": "Lead", "rules": [{"key": "v", "event": "page.viewed", "points": 14}]}
    async with intake.sessions.begin() as session:
        await ScoringRepository(session).publish(PointsModel.model_validate(model))
    contact = await intake.contact()
    await intake.publish(entry=ENTRY | {"audience": audience})
    ordered = await intake.tell(contact, "order.placed")

    await intake.tell(contact, *change)

    assert await entered_by(intake) == [ordered]


async def test_a_stage_may_come_later(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry=ENTRY | {"audience": {"stage": {"is": "mql"}}})
    ordered = await intake.tell(contact, "order.placed")

    async with intake.sessions.begin() as session:
        await StageRepository(session).change(contact, Wanted(Stage.MQL, "m", actor="test", at=NOW))
    await intake.apply()

    assert await entered_by(intake) == [ordered]


HAPPENINGS: Sequence[tuple[str, dict[str, Any], timedelta]] = (
    ("order.placed", {"order_id": "o-1"}, timedelta(minutes=20)),
    ("contact.identified", {"plan": "pro"}, timedelta(minutes=15)),
    ("survey.opened", {}, timedelta(minutes=10)),
    ("page.viewed", {}, timedelta(minutes=5)),
)
STEPS = [{"id": "asked", "wait_for": {"event": "survey.opened", "up_to": "2d"}}]


async def _outcome(
    intake: Intake, contact: UUID, order: Sequence[int], pauses: Sequence[bool]
) -> tuple[list[str | None], list[list[str]]]:
    for place, pause in zip(order, pauses, strict=True):
        name, properties, ago = HAPPENINGS[place]
        for _ in range(2):  # whoever sends may send twice
            await intake.accept(contact, name, properties, event_id=f"{contact}:{name}", ago=ago)
        if pause:
            await intake.apply()
    await intake.apply()
    found = [one for one in await intake.enrollments() if one.contact_id == contact]
    told = [criteria for _, one, criteria in await intake.outbox() if one in {enrollment.id for enrollment in found}]
    return [enrollment.entry_event_id for enrollment in found], sorted(told)


@settings(max_examples=24, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(list(permutations(range(4)))), st.lists(st.booleans(), min_size=4, max_size=4))
async def test_in_whatever_order_they_come_the_contact_enters_once_and_is_told_the_same(
    sessions: Sessions, database_url: str, order: Sequence[int], pauses: Sequence[bool]
) -> None:
    intake = Intake(sessions, database_url)
    await intake.publish(entry=ENTRY, steps=STEPS)
    contact = await intake.contact()

    entered, told = await _outcome(intake, contact, order, pauses)

    assert entered == [f"{contact}:order.placed"]
    assert told == [[], ["step:asked"]]
