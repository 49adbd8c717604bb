"""Goals: what is noted of them, who does not enter because of them, and who is held out for comparison."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from crm.models.enrollment import Enrollment
from crm.models.event import Event
from intake.enrollment import NotEnrolled, enroll
from journeys.experiments import held_out, in_control_group
from kit.settings import Settings
from tests.support.intake import NOW, Intake
from worker import intake_consumer

DAY = timedelta(days=1)
ORDERED = {"type": "sell", "event": "order.placed", "where": {"cart": "$entry.cart"}, "within": "30d"}


def abandoned(goal: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"goal": goal, "entry": {"event": "cart.left", "again": "after_exit"}, "exit": [], **parts}


async def only(intake: Intake) -> Enrollment:
    (enrollment,) = await intake.enrollments()
    return enrollment


async def goal_events(intake: Intake) -> list[Event]:
    async with intake.sessions() as session:
        return list(await session.scalars(select(Event).where(Event.name == "journey.goal_met")))


class TestNoted:
    async def test_the_moment_of_the_first_event_is_kept_and_told_once(self, intake: Intake) -> None:
        contact = await intake.contact()
        await intake.publish(**abandoned(ORDERED))
        await intake.tell(contact, "cart.left", {"cart": 1}, ago=2 * DAY)
        await intake.tell(contact, "order.placed", {"cart": 1}, ago=DAY)
        await intake.tell(contact, "order.placed", {"cart": 1})

        enrollment = await only(intake)
        assert enrollment.goal_met_at == NOW - DAY
        (told,) = await goal_events(intake)
        assert (told.event_id, told.properties) == (f"journey.goal_met:{enrollment.id}", {"journey": "review"})
        assert (told.occurred_at, told.source) == (NOW - DAY, "derived")

    async def test_another_journey_may_start_on_it(self, intake: Intake) -> None:
        contact = await intake.contact()
        await intake.publish(**abandoned(ORDERED))
        await intake.publish(
            "thanks", entry={"event": "journey.goal_met", "where": {"journey": "review"}}, goal=None, exit=[]
        )
        await intake.tell(contact, "cart.left", {"cart": 1})
        await intake.tell(contact, "order.placed", {"cart": 1})
        assert [one.journey_key for one in await intake.enrollments()] == ["review", "thanks"]

    async def test_a_conversion_after_the_end_counts_as_long_as_the_goal_does(self, intake: Intake) -> None:
        contact = await intake.contact()
        await intake.publish(**abandoned(ORDERED))
        await intake.tell(contact, "cart.left", {"cart": 1}, ago=31 * DAY)
        await intake.end((await only(intake)).id, NOW - 30 * DAY)
        await intake.tell(contact, "order.placed", {"cart": 1}, ago=2 * DAY)
        assert (await only(intake)).goal_met_at == NOW - 2 * DAY
        assert [kind for kind, _, _ in await intake.outbox()] == ["start"], "an ended enrollment is told nothing"

    @pytest.mark.parametrize(
        ("goal", "ago"),
        [
            (ORDERED, timedelta(hours=23)),
            ({**ORDERED, "within": "1d"}, 2 * DAY),
            ({**ORDERED, "within": None}, 2 * DAY),
        ],
        ids=["too late", "too short a time", "no time"],
    )
    async def test_a_conversion_after_its_time_does_not_count(
        self, intake: Intake, goal: dict[str, Any], ago: timedelta
    ) -> None:
        contact = await intake.contact()
        await intake.publish(**abandoned(goal))
        await intake.tell(contact, "cart.left", {"cart": 1}, ago=31 * DAY)
        await intake.end((await only(intake)).id, NOW - 30 * DAY)
        await intake.tell(contact, "order.placed", {"cart": 1}, ago=ago)
        assert (await only(intake)).goal_met_at is None

    async def test_a_goal_that_is_only_counted_is_counted_of_a_late_entry_too(self, intake: Intake) -> None:
        contact = await intake.contact()
        await intake.publish(**abandoned({**ORDERED, "exit": False}))
        await intake.tell(contact, "order.placed", {"cart": 1}, ago=DAY)
        await intake.tell(contact, "cart.left", {"cart": 1}, ago=2 * DAY)
        assert (await only(intake)).goal_met_at == NOW - DAY

    async def test_behind_a_goal_with_steps_it_is_counted_once_and_told_of_all_that_concerns_it(
        self, intake: Intake
    ) -> None:
        contact = await intake.contact()
        then = [{"id": "opened", "wait_for": {"event": "mail.opened", "up_to": "7d"}}]
        await intake.publish(**abandoned({**ORDERED, "then": then}, exit={"event": "order.refunded"}))
        await intake.tell(contact, "cart.left", {"cart": 1}, ago=3 * DAY)
        await intake.tell(contact, "order.placed", {"cart": 1}, ago=2 * DAY)
        await intake.tell(contact, "mail.opened", ago=DAY)
        await intake.tell(contact, "order.refunded")
        assert (await only(intake)).goal_met_at == NOW - 2 * DAY
        told = [criteria for kind, _, criteria in await intake.outbox() if kind == "deliver"]
        assert told == [["goal"], ["step:opened"], ["exit:1"]]
        assert len(await goal_events(intake)) == 1


class TestMetBefore:
    """Whether a contact who has met the goal before enters: only where the journey says how far it looks back."""

    @pytest.mark.parametrize(
        ("met_before", "ago", "enters"),
        [
            (None, DAY, True),
            ("90d", 91 * DAY, True),
            ("90d", 90 * DAY, False),
            ("90d", DAY, False),
            ("ever", 3_000 * DAY, False),
        ],
    )
    async def test_it_depends_on_how_far_back_the_journey_looks(
        self, intake: Intake, met_before: str | None, ago: timedelta, *, enters: bool
    ) -> None:
        contact = await intake.contact()
        await intake.publish(**abandoned({**ORDERED, "met_before": met_before}))
        await intake.tell(contact, "order.placed", {"cart": 1}, ago=ago)
        await intake.tell(contact, "cart.left", {"cart": 1}, event_id="left")
        assert bool(await intake.enrollments()) == enters
        assert await intake.refusals() == ([] if enters else [("goal_already_met", "left")])

    async def test_only_an_event_that_meets_the_goal_as_it_is_for_this_entry(self, intake: Intake) -> None:
        contact = await intake.contact()
        await intake.publish(**abandoned({**ORDERED, "met_before": "ever"}))
        await intake.tell(contact, "order.placed", {"cart": 1}, ago=DAY)
        await intake.tell(contact, "cart.left", {"cart": 2})
        assert len(await intake.enrollments()) == 1

    async def test_the_entry_event_itself_does_not_count(self, intake: Intake) -> None:
        contact = await intake.contact()
        goal = {"type": "sell", "event": "cart.left", "met_before": "ever"}
        await intake.publish(**abandoned(goal))
        await intake.tell(contact, "cart.left")
        assert len(await intake.enrollments()) == 1

    async def test_it_holds_for_an_entry_over_the_api_too_and_the_reason_can_be_read(self, intake: Intake) -> None:
        contact = await intake.contact()
        version = await intake.publish(**abandoned({**ORDERED, "where": {}, "met_before": "ever"}))
        await intake.tell(contact, "order.placed", ago=DAY)
        async with intake.sessions.begin() as session:
            result = await enroll(session, version, contact, cause_event=None, properties={}, now=NOW)
        assert isinstance(result, NotEnrolled)
        assert result.because == "order.placed of 2026-03-01 09:00 UTC has met the goal before"

    async def test_an_event_that_cannot_be_compared_meets_nothing(self, intake: Intake) -> None:
        contact = await intake.contact()
        goal = {**ORDERED, "where": {"total": {"at_least": 50}}, "met_before": "ever"}
        await intake.publish(**abandoned(goal))
        await intake.tell(contact, "order.placed", {"total": "much"}, ago=DAY)
        await intake.tell(contact, "cart.left")
        assert len(await intake.enrollments()) == 1


class TestHoldout:
    async def test_who_is_held_out_is_drawn_at_entry(self, intake: Intake) -> None:
        contacts = [await intake.contact() for _ in range(20)]
        await intake.publish(**abandoned(ORDERED, holdout=50))
        for contact in contacts:
            await intake.tell(contact, "cart.left")
        drawn: dict[UUID, bool] = {one.contact_id: one.holdout for one in await intake.enrollments()}
        assert drawn == {contact: held_out(contact, "review", percent=50) for contact in contacts}
        assert set(drawn.values()) == {True, False}

    async def test_a_journey_without_a_holdout_holds_nobody_out(self, intake: Intake) -> None:
        for _ in range(5):
            contact = await intake.contact()
            await intake.publish(**abandoned(ORDERED))
            await intake.tell(contact, "cart.left")
        assert not any(one.holdout for one in await intake.enrollments())

    async def test_the_goal_of_a_held_out_contact_counts(self, intake: Intake) -> None:
        await intake.publish(**abandoned(ORDERED, holdout=50))
        contacts = [await intake.contact() for _ in range(10)]
        contact = next(one for one in contacts if held_out(one, "review", percent=50))
        await intake.tell(contact, "cart.left", {"cart": 1})
        await intake.tell(contact, "order.placed", {"cart": 1})
        enrollment = await only(intake)
        assert (enrollment.holdout, enrollment.goal_met_at) == (True, datetime(2026, 3, 2, 9, tzinfo=UTC))


class TestControlGroup:
    async def test_who_is_in_it_is_drawn_at_entry_and_stays_what_it_was(self, intake: Intake) -> None:
        contacts = [await intake.contact() for _ in range(20)]
        await intake.publish(**abandoned(ORDERED))
        intake.control_group = 50
        for contact in contacts:
            await intake.tell(contact, "cart.left")
        intake.control_group = 0
        late = await intake.contact()
        await intake.tell(late, "cart.left")
        drawn: dict[UUID, bool] = {one.contact_id: one.control_group for one in await intake.enrollments()}
        assert drawn.pop(late) is False
        assert drawn == {contact: in_control_group(contact, percent=50) for contact in contacts}
        assert set(drawn.values()) == {True, False}

    async def test_the_worker_draws_as_it_is_set(self, intake: Intake) -> None:
        await intake.publish(**abandoned(ORDERED))
        for _ in range(12):
            await intake.accept(await intake.contact(), "cart.left")
        settings = Settings(database_url=intake.database_url, control_group_percent=50)
        await intake_consumer(settings, intake.sessions).drain()
        drawn = [
            (one.control_group, in_control_group(one.contact_id, percent=50)) for one in await intake.enrollments()
        ]
        assert {is_member for is_member, _ in drawn} == {True, False}
        assert all(is_member == expected for is_member, expected in drawn)
