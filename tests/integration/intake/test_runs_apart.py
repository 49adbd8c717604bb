"""Several enrollments of one contact, one after the other: nothing of one is taken for something of another."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest

from activities.contacts import ContactActivities
from crm.lists import ListRepository
from crm.models.enrollment import Enrollment
from intake.enrollment import enroll
from journeys.outcomes import JourneyState
from tests.support.intake import MARKETING, NOW, Intake
from workflows.ports import JudgeCondition, JudgeConditions, Progress

DAY = timedelta(days=1)
REVIEWED = {"event": "review.created", "where": {"product_id": "$entry.product_id"}}
AGAIN = {"event": "order.placed", "again": "after_exit"}
ORDER = {"product_id": "p-1"}


def gated(**parts: Any) -> dict[str, Any]:
    """A journey with an event gate and exits, that may be entered again."""
    return {
        "goal": None,
        "entry": AGAIN,
        "exit": [{"event": "order.refunded", "where": {"product_id": "$entry.product_id"}}],
        "steps": [{"id": "asked", "wait_for": {**REVIEWED, "up_to": "2d"}}],
        **parts,
    }


async def told(intake: Intake, enrollment: Enrollment) -> list[str]:
    """The criteria the enrollment was told of."""
    return [name for _, to, criteria in await intake.outbox() if to == enrollment.id for name in criteria]


async def newest(intake: Intake) -> Enrollment:
    return (await intake.enrollments())[-1]


async def run_twice(intake: Intake, contact: Any, *, ended: datetime) -> Enrollment:
    """A first enrollment, entered ten days ago, and a second, entered a day ago."""
    await intake.tell(contact, "order.placed", ORDER, ago=10 * DAY)
    await intake.tell(contact, "review.created", ORDER, ago=8 * DAY)
    await intake.end((await newest(intake)).id, ended)
    await intake.tell(contact, "order.placed", ORDER, ago=DAY)
    second = await newest(intake)
    assert len(await intake.enrollments()) == 2
    return second


class TestGates:
    async def test_an_event_of_an_earlier_run_satisfies_no_gate_of_this_run(self, intake: Intake) -> None:
        contact = await intake.contact()
        await intake.publish(**gated())
        second = await run_twice(intake, contact, ended=NOW - 7 * DAY)
        assert await told(intake, second) == []
        await intake.tell(contact, "review.created", ORDER)
        assert await told(intake, second) == ["step:asked"]

    @pytest.mark.parametrize(
        ("ago", "name", "criteria"),
        [
            (9 * DAY, "review.created", []),
            (9 * DAY, "order.refunded", []),
            # Between the runs is before the entry of this one: it was about something else. It used to count as news.
            (3 * DAY, "review.created", []),
            (timedelta(hours=1), "order.refunded", ["exit:1"]),
        ],
        ids=["gate, in the earlier run", "exit, in the earlier run", "between the runs", "in this run"],
    )
    async def test_nor_does_one_that_is_heard_of_late(
        self, intake: Intake, ago: timedelta, name: str, criteria: list[str]
    ) -> None:
        contact = await intake.contact()
        await intake.publish(**gated())
        second = await run_twice(intake, contact, ended=NOW - 7 * DAY)
        await intake.tell(contact, name, ORDER, ago=ago)
        assert await told(intake, second) == criteria

    async def test_what_an_import_tells_of_long_ago_counts_for_its_own_run(self, intake: Intake) -> None:
        """Enrollments of imported events end now, long after all they are about has occurred."""
        contact = await intake.contact()
        await intake.publish(**gated())
        second = await run_twice(intake, contact, ended=NOW)
        await intake.tell(contact, "review.created", ORDER, ago=timedelta(hours=12))
        assert await told(intake, second) == ["step:asked"]

    @pytest.mark.parametrize("condition", [REVIEWED, {"not": {"none": REVIEWED}}], ids=["event", "none"])
    async def test_conditions_count_since_the_entry_of_their_own_run(
        self, intake: Intake, condition: dict[str, Any]
    ) -> None:
        contact = await intake.contact()
        await intake.publish(**gated())
        second = await run_twice(intake, contact, ended=NOW - 7 * DAY)
        activities = ContactActivities(intake.sessions)
        common = {
            "enrollment_id": second.id,
            "contact_id": contact,
            "step": "asked",
            "iteration": 1,
            "now": NOW,
            "progress": Progress(enrollment_id=second.id, state=JourneyState.RUNNING, step="asked", since=NOW),
            "entered_at": second.entered_at,
        }
        assert not (await activities.judge_condition(JudgeCondition(**common, condition=condition))).holds
        several = JudgeConditions(**common, conditions=[condition])
        assert (await activities.judge_conditions(several)).index is None
        await intake.tell(contact, "review.created", ORDER)
        assert (await activities.judge_condition(JudgeCondition(**common, condition=condition))).holds
        assert (await activities.judge_conditions(several)).index == 0

    async def test_runs_side_by_side_hear_only_of_what_is_theirs(self, intake: Intake) -> None:
        contact = await intake.contact()
        await intake.publish(**gated(entry={**AGAIN, "again": {"per": "product_id"}}))
        for product in ("p-1", "p-2"):
            await intake.tell(contact, "order.placed", {"product_id": product})
        await intake.tell(contact, "review.created", {"product_id": "p-2"})
        first, second = await intake.enrollments()
        assert (await told(intake, first), await told(intake, second)) == ([], ["step:asked"])


class TestImports:
    """What occurred before the entry and is heard of after it, in a first run and in runs side by side."""

    GOAL: ClassVar = {"type": "sell", "event": "review.created", "within": "14d"}

    @pytest.mark.parametrize("again", ["never", "after_exit", {"per": "product_id"}], ids=str)
    async def test_an_import_of_long_ago_ends_no_journey(self, intake: Intake, again: Any) -> None:
        contact = await intake.contact()
        await intake.publish(**gated(goal=self.GOAL, entry={**AGAIN, "again": again}))
        await intake.tell(contact, "order.placed", ORDER, ago=DAY)
        for name in ("review.created", "order.refunded"):
            await intake.tell(contact, name, ORDER, ago=200 * DAY)
        assert await told(intake, await newest(intake)) == []
        assert (await newest(intake)).goal_met_at is None
        await intake.tell(contact, "review.created", ORDER)
        assert await told(intake, await newest(intake)) == ["goal", "step:asked"]

    async def test_of_events_of_the_same_instant_those_behind_the_entry_in_the_log_count(self, intake: Intake) -> None:
        contact = await intake.contact()
        await intake.publish(**gated(entry={**AGAIN, "again": "never"}))
        await intake.accept(contact, "review.created", ORDER)
        await intake.accept(contact, "order.placed", ORDER)
        await intake.apply()
        assert await told(intake, await newest(intake)) == []
        await intake.tell(contact, "review.created", ORDER)
        assert await told(intake, await newest(intake)) == ["step:asked"]

    async def test_who_entered_over_the_api_entered_when_that_was_asked(self, intake: Intake) -> None:
        contact = await intake.contact()
        version = await intake.publish(**gated())
        async with intake.sessions.begin() as session:
            await enroll(session, version, contact, cause_event=None, properties=ORDER, now=NOW)
        await intake.tell(contact, "review.created", ORDER, ago=timedelta(minutes=1))
        assert await told(intake, await newest(intake)) == []
        await intake.tell(contact, "review.created", ORDER)
        assert await told(intake, await newest(intake)) == ["step:asked"]

    async def test_a_withdrawal_ends_the_journey_whenever_it_has_occurred(self, intake: Intake) -> None:
        contact = await intake.contact()
        await intake.tell(contact, "consent.granted", ago=300 * DAY)
        await intake.publish(**gated(entry={**AGAIN, "audience": MARKETING}))
        await intake.tell(contact, "order.placed", ORDER, ago=DAY)
        await intake.tell(contact, "consent.withdrawn", ago=200 * DAY)
        assert await told(intake, await newest(intake)) == ["exit:requested"]


class TestEntryAndExit:
    async def test_who_no_longer_matches_the_audience_stays(self, intake: Intake) -> None:
        contact = await intake.contact()
        await self.join(intake, contact, member=True)
        await intake.publish(**gated(entry={**AGAIN, "audience": {"in_list": "vip"}}))
        await intake.tell(contact, "order.placed", ORDER)
        await self.join(intake, contact, member=False)
        await intake.tell(contact, "page.viewed")
        await intake.tell(contact, "review.created", ORDER)
        (enrollment,) = await intake.enrollments()
        assert enrollment.ended_at is None
        assert await told(intake, enrollment) == ["step:asked"]

    async def test_the_audience_is_judged_anew_at_each_entry(self, intake: Intake) -> None:
        contact = await intake.contact()
        await self.join(intake, contact, member=True)
        await intake.publish(**gated(entry={**AGAIN, "audience": {"in_list": "vip"}}))
        await intake.tell(contact, "order.placed", ORDER)
        await intake.end((await newest(intake)).id, NOW)
        await self.join(intake, contact, member=False)
        await intake.tell(contact, "order.placed", ORDER, event_id="second")
        assert len(await intake.enrollments()) == 1
        assert await intake.refusals() == [("audience", "second")]

    async def test_exits_are_judged_on_every_event(self, intake: Intake) -> None:
        contact = await intake.contact()
        await intake.publish(**gated())
        await intake.tell(contact, "order.placed", ORDER)
        enrollment = await newest(intake)
        for product, criteria in (("p-2", []), ("p-3", []), ("p-1", ["exit:1"]), ("p-1", ["exit:1", "exit:1"])):
            await intake.tell(contact, "order.refunded", {"product_id": product})
            assert await told(intake, enrollment) == criteria

    async def test_a_consent_that_the_audience_demanded_is_the_one_thing_that_is_kept_an_eye_on(
        self, intake: Intake
    ) -> None:
        contact = await intake.contact()
        await intake.tell(contact, "consent.granted")
        await intake.publish(**gated(entry={**AGAIN, "audience": MARKETING}))
        await intake.tell(contact, "order.placed", ORDER)
        await intake.tell(contact, "consent.withdrawn")
        assert await told(intake, await newest(intake)) == ["exit:requested"]

    async def join(self, intake: Intake, contact: Any, *, member: bool) -> None:
        async with intake.sessions.begin() as session:
            await ListRepository(session).change(contact, list_key="vip", member=member, reason="test")
