"""Experiments on stored enrollments: who counts, when a winner is named, and that it is named once."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from crm.enrollments import EnrollmentRepository
from crm.experiments import Chosen, ExperimentRepository, Part, Rule
from crm.journeys import JourneyRepository
from crm.models.enrollment import Enrollment
from journeys.outcomes import JourneyState, StepVerdict
from journeys.proportions import Counted
from kit.database import Sessions
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment
from workflows.state import Decision

DAY = timedelta(days=1)
NOW = SOME_DAY + 60 * DAY
ARMS = ("a", "b")
RULE = Rule(after=30, confidence=0.95)

Gone = Callable[..., Awaitable[UUID]]


def journey(**parts: Any) -> dict[str, Any]:
    arms = {name: {"share": 50} for name in ARMS}
    return {
        "goal": {"type": "sell", "event": "order.placed", "within": "30d"},
        "steps": [{"id": "drawn", "split": {"experiment": "length", "arms": arms}}, {"wait": "1d"}],
        **parts,
    }


@pytest.fixture
async def gone(sessions: Sessions) -> Gone:
    """Makes enrollments that have gone an arm."""
    async with sessions.begin() as session:
        version = await a_live_journey(session, journey())

    async def make(
        arm: str,
        *,
        met: bool = False,
        open_: bool = False,
        holdout: bool = False,
        control: bool = False,
        times: int = 1,
    ) -> UUID:
        async with sessions.begin() as session:
            contact = await a_contact(session)
            version_now = await JourneyRepository(session).live(version.journey_key)
            assert version_now is not None
            one = await an_enrollment(session, contact.id, version_now)
            one.holdout, one.control_group = holdout, control
            one.goal_until = NOW + DAY if open_ else NOW - DAY
            one.goal_met_at = SOME_DAY + DAY if met else None
            decisions = [_decision(number, arm) for number in range(times)]
            await EnrollmentRepository(session).record(
                one.id, state=JourneyState.RUNNING, step="wait-1", since=SOME_DAY, decisions=decisions
            )
            return one.id

    return make


def _decision(number: int, arm: str) -> Decision:
    return Decision(
        ordinal=number, step="drawn", verdict=StepVerdict.PASSED, result=arm, entered_at=SOME_DAY, at=SOME_DAY
    )


async def counted(sessions: Sessions, **more: Any) -> dict[str, tuple[int, int, int]]:
    async with sessions() as session:
        found = await ExperimentRepository(session, "welcome-test").arms("length", NOW, **more)
    return {arm: (group.counted.entered, group.counted.met, group.open) for arm, group in found.items()}


async def choose(sessions: Sessions, drawn: str = "a", *, now: datetime = NOW, rule: Rule = RULE) -> Chosen:
    async with sessions.begin() as session:
        experiments = ExperimentRepository(session, "welcome-test")
        return await experiments.choose("length", drawn, arms=ARMS, rule=rule, now=now)


async def fill(gone: Gone, *, a: int, b: int, of: int = 30) -> None:
    for arm, met in (("a", a), ("b", b)):
        for number in range(of):
            await gone(arm, met=number < met)


class TestCounts:
    async def test_each_enrollment_counts_once_in_the_arm_it_went(self, sessions: Sessions, gone: Gone) -> None:
        await gone("a", met=True, times=3)
        await gone("a")
        await gone("b", open_=True)
        assert await counted(sessions) == {"a": (2, 1, 0), "b": (1, 0, 1)}

    async def test_held_out_contacts_are_not_compared(self, sessions: Sessions, gone: Gone) -> None:
        await gone("a", met=True, holdout=True)
        await gone("a", met=True, control=True)
        await gone("b", met=True)
        assert await counted(sessions) == {"b": (1, 1, 0)}

    async def test_an_experiment_is_counted_over_all_versions_it_stands_in(
        self, sessions: Sessions, gone: Gone
    ) -> None:
        await gone("a", met=True)
        async with sessions.begin() as session:
            steps = [{"wait": "2d"}, *journey()["steps"]]
            steps[1] = {**steps[1], "id": "elsewhere"}
            await a_live_journey(session, journey(steps=steps))
        async with sessions.begin() as session:
            live = await JourneyRepository(session).live("welcome-test")
            assert live is not None
            one = await an_enrollment(session, (await a_contact(session)).id, live)
            decision = _decision(0, "b").model_copy(update={"step": "elsewhere", "version": live.version})
            await EnrollmentRepository(session).record(
                one.id, state=JourneyState.RUNNING, step="wait-1", since=SOME_DAY, decisions=[decision]
            )
        assert await counted(sessions) == {"a": (1, 1, 0), "b": (1, 0, 1)}

    async def test_only_the_first_of_each_arm_where_so_many_are_asked_for(self, sessions: Sessions, gone: Gone) -> None:
        for met in (True, True, False):
            await gone("a", met=met)
        assert await counted(sessions, first=2) == {"a": (2, 2, 0)}

    async def test_the_journey_as_a_whole_against_its_holdout(self, sessions: Sessions, gone: Gone) -> None:
        await gone("a", met=True)
        await gone("b", open_=True)
        await gone("b", holdout=True)
        async with sessions() as session:
            found = await ExperimentRepository(session, "welcome-test").groups(NOW)
        assert {held: (group.counted, group.open) for held, group in found.items()} == {
            Part.CONTACTS: (Counted(2, 1), 1),
            Part.HOLDOUT: (Counted(1, 0), 0),
        }

    async def test_without_an_end_of_the_goal_an_outcome_is_known_at_the_end(
        self, sessions: Sessions, gone: Gone
    ) -> None:
        running, ended = await gone("a"), await gone("b")
        async with sessions.begin() as session:
            for one in (running, ended):
                (await session.get_one(Enrollment, one)).goal_until = None
            (await session.get_one(Enrollment, ended)).ended_at = NOW
        assert await counted(sessions) == {"a": (1, 0, 1), "b": (1, 0, 0)}


class TestWinner:
    async def test_a_clear_difference_sends_everybody_the_better_way(self, sessions: Sessions, gone: Gone) -> None:
        await fill(gone, a=3, b=15)
        assert await choose(sessions, "a") == Chosen("b", "arm 'b' has won 'length'")
        async with sessions() as session:
            record = await ExperimentRepository(session, "welcome-test").record("length")
        assert record is not None
        assert (record.winner, record.decided_at, record.after) == ("b", NOW, 30)
        assert record.because is not None
        assert record.because.startswith("'b' is best: 'a' 3 of 30, 'b' 15 of 30")

    async def test_it_is_named_once_whatever_comes_later(self, sessions: Sessions, gone: Gone) -> None:
        await fill(gone, a=3, b=15)
        await choose(sessions)
        for _ in range(30):
            await gone("a", met=True)
        assert (await choose(sessions, "a", now=NOW + DAY)).arm == "b"

    async def test_no_difference_leaves_the_draw(self, sessions: Sessions, gone: Gone) -> None:
        await fill(gone, a=10, b=11)
        assert await choose(sessions, "a") == Chosen("a")
        assert await choose(sessions, "b", now=NOW + DAY) == Chosen("b")
        async with sessions() as session:
            record = await ExperimentRepository(session, "welcome-test").record("length")
        assert record is not None
        assert (record.winner, record.decided_at) == (None, NOW)

    async def test_with_too_few_contacts_nothing_is_decided(self, sessions: Sessions, gone: Gone) -> None:
        await fill(gone, a=0, b=29, of=29)
        assert await choose(sessions, "a") == Chosen("a")
        async with sessions() as session:
            record = await ExperimentRepository(session, "welcome-test").record("length")
        assert record is not None
        assert record.decided_at is None

    async def test_an_outcome_that_is_still_open_is_waited_for(self, sessions: Sessions, gone: Gone) -> None:
        await fill(gone, a=3, b=14, of=29)
        await gone("a", open_=True)
        await gone("b", met=True)
        assert await choose(sessions, "a") == Chosen("a")
        assert (await choose(sessions, "a", now=NOW + 2 * DAY)).arm == "b"

    async def test_contacts_are_counted_once_a_minute_at_most(self, sessions: Sessions, gone: Gone) -> None:
        assert await choose(sessions, "a") == Chosen("a")
        await fill(gone, a=3, b=15)
        assert await choose(sessions, "a", now=NOW + timedelta(seconds=59)) == Chosen("a")
        assert (await choose(sessions, "a", now=NOW + timedelta(seconds=60))).arm == "b"

    async def test_a_larger_sample_has_it_compared_again(self, sessions: Sessions, gone: Gone) -> None:
        await fill(gone, a=10, b=14)
        assert await choose(sessions, "a") == Chosen("a")
        await fill(gone, a=5, b=25)
        larger = Rule(after=60, confidence=0.95)
        assert (await choose(sessions, "a", now=NOW + DAY, rule=larger)).arm == "b"

    async def test_a_winner_that_is_no_arm_any_more_sends_nobody_anywhere(self, sessions: Sessions, gone: Gone) -> None:
        await fill(gone, a=3, b=15)
        await choose(sessions)
        async with sessions.begin() as session:
            experiments = ExperimentRepository(session, "welcome-test")
            chosen = await experiments.choose("length", "c", arms=("a", "c"), rule=RULE, now=NOW + DAY)
        assert chosen == Chosen("c")
