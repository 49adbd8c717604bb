"""A consent that was won on the way and is withdrawn ends a running wait at once; what does not rest on it goes on."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from crm.consent import ConsentRepository
from crm.journeys import JourneyRepository
from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyVersion
from intake.models import OutboxEntry
from messaging.models import Template
from messaging.pins import TemplatePins
from tests.integration.intake.test_moves import KEY, Moving, moving
from tests.support.builders import a_live_journey
from tests.support.intake import journey
from tests.support.messaging import a_template
from tests.support.temporal import eventually

__all__ = ["moving"]

MARKETING = {"purpose": "marketing", "channel": "email"}
CONFIRMED: dict[str, Any] = {
    "id": "confirmed",
    "wait_for": {"event": "consent.granted", "where": {"purpose": "marketing"}, "up_to": "9d"},
    "then": [{"id": "rest", "wait": "30d"}],
    "else": [{"id": "late", "wait": "30d"}],
}
REST: dict[str, Any] = {"id": "rest", "wait": "30d"}


async def publish(moving: Moving, *steps: dict[str, Any]) -> JourneyVersion:
    async with moving.intake.sessions.begin() as session:
        parts = {"goal": None, "exit": [], "steps": list(steps)}
        version = await a_live_journey(session, journey(KEY, **parts))
        await TemplatePins(session).pin(version)
        return version


async def enter(moving: Moving) -> Enrollment:
    [enrollment] = await moving.enter()
    return enrollment


async def tell(moving: Moving, enrollment: Enrollment, name: str, properties: dict[str, Any]) -> None:
    await moving.intake.tell(enrollment.contact_id, name, properties)
    await moving.relay().drain()


async def stands(moving: Moving, step: str | None, state: str = "waiting") -> Enrollment:
    async def there() -> bool:
        [enrollment] = await moving.intake.enrollments()
        return (enrollment.step, enrollment.state) == (step, state)

    await eventually(there)
    [enrollment] = await moving.intake.enrollments()
    return enrollment


async def test_the_wait_behind_the_confirmation_ends_at_once_when_it_is_withdrawn(moving: Moving) -> None:
    await publish(moving, CONFIRMED)
    enrollment = await enter(moving)
    await tell(moving, enrollment, "consent.granted", MARKETING)
    await stands(moving, "rest")
    await tell(moving, enrollment, "consent.withdrawn", MARKETING)
    ended = await stands(moving, None, "exited")
    assert ended.outcome == "consent to marketing by email withdrawn"


async def test_who_never_had_it_goes_on_waiting_to_be_asked(moving: Moving) -> None:
    await publish(moving, CONFIRMED)
    enrollment = await enter(moving)
    await tell(moving, enrollment, "consent.withdrawn", MARKETING)
    await tell(moving, enrollment, "consent.granted", MARKETING)
    await stands(moving, "rest")


async def test_where_the_step_can_be_reached_without_it_its_withdrawal_ends_nothing(moving: Moving) -> None:
    asked = {"id": "asked", "if": {"consent": MARKETING}, "then": [], "else": []}
    await publish(moving, asked, REST)
    enrollment = await enter(moving)
    await stands(moving, "rest")
    await tell(moving, enrollment, "consent.granted", MARKETING)
    await tell(moving, enrollment, "consent.withdrawn", MARKETING)
    assert await moving.intake.count(OutboxEntry) == 0
    await stands(moving, "rest")


@pytest.mark.parametrize(
    ("classes", "withdrawn", "ends"),
    [
        (["marketing"], MARKETING, True),
        (["marketing", "sales"], MARKETING, False),
        (["marketing", "sales"], {}, True),
        (["marketing", "transactional"], MARKETING, False),
        (["transactional"], MARKETING, False),
        ([], MARKETING, False),
    ],
)
async def test_where_every_message_ahead_needs_a_lost_consent_nothing_is_left_to_wait_for(
    moving: Moving, classes: Sequence[str], withdrawn: dict[str, str], *, ends: bool
) -> None:
    for one in classes:
        await a_template(moving.intake.sessions, one, message_class=one)
    sends = [{"id": one, "send": {"template": one}} for one in classes]
    await publish(moving, REST, *sends)
    enrollment = await enter(moving)
    for purpose in ("marketing", "sales"):
        await tell(moving, enrollment, "consent.granted", {**MARKETING, "purpose": purpose})
    await tell(moving, enrollment, "consent.withdrawn", withdrawn)
    await stands(moving, None if ends else "rest", "exited" if ends else "waiting")


async def test_what_was_sent_already_does_not_hold_it(moving: Moving) -> None:
    """The receipt lies behind: ahead are only messages that need the consent."""
    await a_template(moving.intake.sessions, "receipt")
    await a_template(moving.intake.sessions, "news", message_class="marketing")
    await publish(moving, {"send": {"template": "receipt"}}, REST, {"send": {"template": "news"}})
    enrollment = await enter(moving)
    await stands(moving, "rest")
    await tell(moving, enrollment, "consent.granted", MARKETING)
    await tell(moving, enrollment, "consent.withdrawn", MARKETING)
    await stands(moving, None, "exited")


async def test_a_withdrawal_that_the_api_has_recorded_already_ends_it_all_the_same(moving: Moving) -> None:
    await publish(moving, CONFIRMED)
    enrollment = await enter(moving)
    await tell(moving, enrollment, "consent.granted", MARKETING)
    await stands(moving, "rest")
    event_id = await moving.intake.accept(enrollment.contact_id, "consent.withdrawn", MARKETING)
    async with moving.intake.sessions.begin() as session:
        await ConsentRepository(session).record(
            enrollment.contact_id,
            **MARKETING,
            state="withdrawn",
            source="preferences",
            occurred_at=moving.intake.now + timedelta(seconds=1),
            evidence={"event_id": event_id},
        )
    await moving.intake.apply()
    await moving.relay().drain()
    await stands(moving, None, "exited")


async def test_the_steps_are_those_of_the_version_the_contact_is_in(moving: Moving) -> None:
    await publish(moving, CONFIRMED)
    enrollment = await enter(moving)
    await tell(moving, enrollment, "consent.granted", MARKETING)
    await stands(moving, "rest")
    version = await publish(moving, REST)
    async with moving.intake.sessions() as session:
        assert [one.version for one in await JourneyRepository(session).versions(KEY)] == [version.version, 1]
        assert (await session.scalars(select(Template))).all() == []
    await tell(moving, enrollment, "consent.withdrawn", MARKETING)
    await stands(moving, None, "exited")
