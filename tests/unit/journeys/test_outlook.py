"""What a publication would do, told beforehand: every contact has exactly one fate, every timer one shift."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from journeys.migration import Inside, Timers, Treatment, due_in, target_of
from journeys.model import Journey
from journeys.outlook import EXAMPLES, Fate, MovedTimer, Shift, Standing, look_ahead
from journeys.plan import Plan, compile_plan

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MIGRATE = Treatment(Inside.MIGRATE)


def plan(*steps: dict[str, Any], version: int = 1, **parts: Any) -> Plan:
    document = {"key": "welcome", "name": "Welcome", "owner": "tests", "entry": {"event": "contact.registered"}}
    return compile_plan(Journey.model_validate(document | {"steps": list(steps)} | parts), version)


PAUSE = {"id": "pause", "wait": "3d"}
MAIL = {"id": "mail", "send": {"template": "welcome"}}
OLD = plan(PAUSE, MAIL)


def waiting(since: timedelta, *, count: int = 1, length: timedelta = 3 * DAY) -> Standing:
    """Contacts at `pause` since so long ago."""
    return Standing("pause", NOW - since, NOW - since + length, count)


def test_a_shortened_wait_lets_those_go_on_who_waited_long_enough() -> None:
    new = plan({"id": "pause", "wait": "1d"}, MAIL, version=2)
    (step,) = look_ahead(OLD, new, [waiting(2 * DAY, count=4), waiting(HOUR)], MIGRATE, now=NOW).steps
    assert (step.count, step.target, step.doing, step.then_doing) == (5, "pause", "wait 3 days", "wait 1 day")
    assert step.timers == {Shift.AT_ONCE: 4, Shift.EARLIER: 1}
    assert step.moved == [
        MovedTimer(4, Shift.AT_ONCE, NOW + DAY, None),
        MovedTimer(1, Shift.EARLIER, NOW + 3 * DAY - HOUR, NOW + DAY - HOUR),
    ]


def test_a_lengthened_wait_lasts_until_its_new_end_unless_timers_are_kept() -> None:
    new = plan({"id": "pause", "wait": "5d"}, MAIL, version=2)
    standings = [waiting(DAY, count=7)]
    (followed,) = look_ahead(OLD, new, standings, MIGRATE, now=NOW).steps
    (kept,) = look_ahead(OLD, new, standings, Treatment(Inside.MIGRATE, {}, Timers.KEEP), now=NOW).steps
    assert followed.moved == [MovedTimer(7, Shift.LATER, NOW + 2 * DAY, NOW + 4 * DAY)]
    assert (kept.timers, kept.moved) == ({Shift.UNCHANGED: 7}, [])


def test_nobody_changes_over_between_the_steps_behind_the_goal_and_the_others() -> None:
    goal = {"type": "sell", "event": "order.placed", "then": [MAIL]}
    (problem,) = look_ahead(
        plan(PAUSE, goal=goal), plan(PAUSE, MAIL, version=2), [Standing("mail", NOW)], MIGRATE, now=NOW
    ).problems
    what = "1 contact stands at it, and version 2 has no such step for those who have met the goal."
    assert (problem.what, problem.remedy) == (what, "Let them finish.")

    forward = look_ahead(OLD, plan(PAUSE, goal=goal, version=2), [Standing("mail", NOW)], MIGRATE, now=NOW)
    (problem,) = forward.problems
    what = "1 contact stands at it, and version 2 has that step only for those who have met the goal."
    assert (problem.what, problem.remedy) == (
        what,
        "Say where they go on, one of pause: map mail=<step>. Or let them finish.",
    )
    treatment = Treatment(Inside.MIGRATE, {"pause": "mail"})
    mapped = look_ahead(OLD, plan(PAUSE, goal=goal, version=2), [Standing("pause", NOW)], treatment, now=NOW)
    assert [problem.what for problem in mapped.problems] == [
        "One of the two is a step behind the met goal, and the other is not.",
        "1 contact stands at it, and version 2 has that step only for those who have met the goal.",
    ]


def test_contacts_at_a_vanished_step_are_named_with_their_number() -> None:
    outlook = look_ahead(OLD, plan(MAIL, version=2), [waiting(DAY, count=3)], MIGRATE, now=NOW)
    (problem,) = outlook.problems
    assert (problem.where, problem.what) == (
        "step 'pause'",
        "3 contacts stand at it, and version 2 has no such step.",
    )
    assert "map pause=<step>" in problem.remedy
    assert outlook.fates(Inside.MIGRATE) == {Fate.MOVES: 0, Fate.NO_TARGET: 3}


def test_a_vanished_step_nobody_stands_at_is_no_problem() -> None:
    assert not look_ahead(OLD, plan(MAIL, version=2), [Standing("mail", NOW)], MIGRATE, now=NOW).problems


def test_a_mapped_step_has_a_target() -> None:
    treatment = Treatment(Inside.MIGRATE, {"pause": "mail"})
    outlook = look_ahead(OLD, plan(MAIL, version=2), [waiting(DAY)], treatment, now=NOW)
    (step,) = outlook.steps
    assert (step.target, step.stays, step.then_doing) == ("mail", False, "send 'welcome' by email")
    assert step.moved == [MovedTimer(1, Shift.AT_ONCE, NOW + 2 * DAY, None)]
    assert not outlook.problems


def test_events_that_end_an_enrollment_only_in_the_new_version_are_named() -> None:
    new = plan(PAUSE, MAIL, version=2, exit=[{"event": "order.refunded"}])
    assert look_ahead(OLD, new, [], MIGRATE, now=NOW).leaving_criteria == ["order.refunded"]


IDS = [f"step-{number}" for number in range(6)]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    ids = draw(st.lists(st.sampled_from(IDS), min_size=1, max_size=5, unique=True))
    bodies = st.one_of(
        st.integers(1, 9).map(lambda days: {"wait": f"{days}d"}),
        st.integers(1, 9).map(lambda days: {"wait_for": {"event": "page.viewed", "up_to": f"{days}d"}}),
        st.just({"send": {"template": "welcome"}}),
    )
    return plan(*({"id": step, **draw(bodies)} for step in ids), version=draw(st.integers(1, 9)))


standings = st.lists(
    st.builds(
        Standing,
        step=st.sampled_from(IDS),
        since=st.integers(-500, 0).map(lambda hours: NOW + hours * HOUR),
        due_at=st.none() | st.integers(0, 500).map(lambda hours: NOW + hours * HOUR),
        count=st.integers(1, 1_000),
    ),
    max_size=30,
)
mappings: st.SearchStrategy[Mapping[str, str]] = st.dictionaries(st.sampled_from(IDS), st.sampled_from(IDS))
treatments = st.builds(Treatment, inside=st.sampled_from(Inside), mapping=mappings, timers=st.sampled_from(Timers))


@given(plans(), plans(), standings, treatments)
def test_no_contact_is_lost_every_one_has_exactly_one_fate(
    old: Plan, new: Plan, found: list[Standing], treatment: Treatment
) -> None:
    """Conservation: whatever the versions, the mapping and the treatment."""
    outlook = look_ahead(old, new, found, treatment, now=NOW)
    total = sum(standing.count for standing in found)
    assert outlook.count == total == sum(step.count for step in outlook.steps)
    assert all(sum(outlook.fates(inside).values()) == total for inside in Inside)
    assert len({step.step for step in outlook.steps}) == len(outlook.steps)


@given(plans(), plans(), standings, treatments)
def test_every_contact_without_a_target_is_named_as_a_problem(
    old: Plan, new: Plan, found: list[Standing], treatment: Treatment
) -> None:
    outlook = look_ahead(old, new, found, treatment, now=NOW)
    stuck = {step.step for step in outlook.steps if step.target is None}
    assert {f"step '{step}'" for step in stuck} == {
        problem.where for problem in outlook.problems if problem.where.startswith("step")
    }
    assert all(step.target in new.nodes for step in outlook.steps if step.target)


@given(plans(), plans(), standings, treatments)
def test_every_running_timer_of_those_who_move_has_exactly_one_shift(
    old: Plan, new: Plan, found: list[Standing], treatment: Treatment
) -> None:
    outlook = look_ahead(old, new, found, treatment, now=NOW)
    for step in outlook.steps:
        running = sum(standing.count for standing in found if standing.step == step.step and standing.due_at)
        assert sum(step.timers.values()) == (running if step.target else 0)
        assert len(step.moved) <= EXAMPLES


@given(plans(), standings)
def test_a_version_that_changes_nothing_moves_no_timer_that_ran_by_plan(old: Plan, found: list[Standing]) -> None:
    by_plan = [
        Standing(place.step, place.since, place.since + length, place.count)
        for place in found
        if place.step in old.nodes and (length := old.nodes[place.step].planned_wait())
    ]
    outlook = look_ahead(old, old, by_plan, MIGRATE, now=NOW)
    assert all(set(step.timers) <= {Shift.UNCHANGED} for step in outlook.steps)
    assert all(target_of(place.step, old, old, {}) for place in by_plan)


@given(plans(), plans(), standings)
def test_kept_timers_of_steps_that_stay_alike_never_move(old: Plan, new: Plan, found: list[Standing]) -> None:
    for place in found:
        target = target_of(place.step, old, new, {})
        if target and target.alike and place.due_at:
            due = due_in(new, target, Timers.KEEP, since=place.since, due=place.due_at, now=NOW)
            assert due.at == place.due_at
