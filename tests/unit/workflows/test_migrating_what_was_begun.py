"""What a person or a pause has done to a step goes over to another version with the step, and with nothing else."""

from datetime import timedelta
from typing import Any

import pytest

from journeys.migration import Timers
from journeys.plan import Plan
from journeys.resuming import Resuming
from tests.support.temporal import a_plan
from tests.unit.workflows.conftest import ENROLLMENT, NOW
from workflows.inbox import DECIDE, SKIP, given_answer
from workflows.messages import compact_plan
from workflows.migration import migrated
from workflows.resuming import resume
from workflows.state import EnrollmentState, Migration, Resolution
from workflows.transitions import Departure, begin, expiry, leave, park

DAY = timedelta(days=1)
FAIR = {"id": "fair", "wait": {"on": "$entry.starts_at"}, "expires_after": "2h"}
ASKED: dict[str, Any] = {"approve": {"by": "owner", "up_to": "3d"}}
PAUSE = {"id": "pause", "wait": "3d"}
LONGER = {"id": "pause", "wait": "4d"}
SHORTER = {"id": "pause", "wait": "1d"}


def newer(*steps: dict[str, Any]) -> Plan:
    return a_plan(steps).model_copy(update={"version": 4})


def to(plan: Plan, **more: Any) -> Migration:
    return Migration(enrollment_id=ENROLLMENT, version=4, plan=compact_plan(plan), **more)


def waiting(plan: Plan, days: int) -> EnrollmentState:
    """At its first step, waiting for so many days since just now."""
    state = begin(plan, entered_at=NOW, now=NOW)
    state.due_at = NOW + days * DAY
    return state


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("before", [FAIR, {**PAUSE, "id": "fair"}])
def test_a_wait_that_has_begun_does_not_expire_for_having_migrated(before: dict[str, Any], *, paused: bool) -> None:
    old, new = a_plan([before]), newer(FAIR)
    state = waiting(old, 10)
    state.resolution, state.paused_at = Resolution(), NOW if paused else None
    after = migrated(state, old, to(new), NOW + 5 * DAY)
    again = migrated(after, new, to(new), NOW + 6 * DAY)
    for one in (after, again):
        assert one.due_at is None
        assert expiry(EnrollmentState.model_validate_json(one.model_dump_json()), new.nodes["fair"], one.since) is None
        assert expiry(one, new.nodes["fair"], NOW + 7 * DAY) is None


@pytest.mark.parametrize("how", ["left", "parked", "never begun"])
def test_what_is_not_under_way_any_more_expires(how: str) -> None:
    old, new = a_plan([FAIR]), newer(FAIR, {**FAIR, "id": "next"})
    state = waiting(old, 10)
    state.due_at = None if how == "never begun" else state.due_at
    after = migrated(state, old, to(new), NOW + DAY)
    if how == "left":
        leave(after, Departure("next"), NOW + DAY)
    if how == "parked":
        park(after, "no date", NOW + DAY)
    assert expiry(after, new.nodes["fair"], NOW + 9 * DAY) is not None
    assert "begun" not in after.model_dump(mode="json")


def test_a_wait_that_was_shifted_follows_the_newer_version_by_the_time_that_counts() -> None:
    old, new = a_plan([PAUSE]), newer(LONGER)
    state = waiting(old, 3)
    state.paused_at = NOW + DAY
    resume(state, old, Resuming.SHIFT, NOW + 11 * DAY)
    after = migrated(state, old, to(new), NOW + 11 * DAY)
    assert (after.due_at, after.shifted_by) == (NOW + 14 * DAY, 10 * DAY)
    assert migrated(state, old, to(new, timers=Timers.KEEP), NOW + 11 * DAY).due_at == state.due_at == NOW + 13 * DAY


@pytest.mark.parametrize(("step", "left"), [(LONGER, 2 * DAY), (PAUSE, DAY), (SHORTER, timedelta())])
def test_a_wait_that_migrates_during_a_pause_is_shifted_as_if_it_had_migrated_before(
    step: dict[str, Any], left: timedelta
) -> None:
    old, new = a_plan([PAUSE]), newer(step)
    state = waiting(old, 3)
    state.paused_at = NOW + 2 * DAY
    after = migrated(state, old, to(new), NOW + 10 * DAY)
    resume(after, new, Resuming.SHIFT, NOW + 11 * DAY)
    assert after.due_at == NOW + 11 * DAY + left


def test_an_answer_decides_no_other_approval_than_the_one_it_was_given_to() -> None:
    old, new = a_plan([{**ASKED, "id": "budget"}, {**ASKED, "id": "text"}]), newer({**ASKED, "id": "text"})
    state = waiting(old, 3)
    state.paused_at, state.commands = NOW, [DECIDE + "approved:ops"]
    assert given_answer(migrated(state, old, to(new, mapping={"budget": "text"}), NOW)) is None
    renamed = newer({**ASKED, "id": "money"})
    assert given_answer(migrated(state, old, to(renamed, mapping={"budget": "money"}), NOW)) is not None


def test_a_skip_is_of_the_step_it_was_asked_for_whatever_that_is_called() -> None:
    old = a_plan([PAUSE, {"id": "rest", "wait": "1d"}])
    state = waiting(old, 3)
    state.commands = [SKIP + "ops"]
    arrived = migrated(state, old, to(newer({"id": "rest", "wait": "1d"}), mapping={"pause": "rest"}), NOW)
    assert arrived.commands == []
    stays = migrated(state, old, to(newer({"id": "break", "wait": "3d"}), mapping={"pause": "break"}), NOW)
    assert stays.commands == [SKIP + "ops"]


@pytest.mark.parametrize("paused", [False, True])
def test_a_message_that_was_held_back_is_not_late_for_that_in_the_newer_version(*, paused: bool) -> None:
    mail = {"id": "mail", "send": {"template": "tips"}}
    old, new = a_plan([mail]), newer(mail)
    state = waiting(old, 3)
    state.paused_at = NOW if paused else None
    after = migrated(state, old, to(new), NOW + DAY)
    assert (after.due_at, after.held_until) == (None, NOW + 3 * DAY)
    assert migrated(after, new, to(new), NOW + 2 * DAY).held_until == NOW + 3 * DAY
    waits = newer({"id": "mail", "wait": "1d"})
    assert migrated(state, old, to(waits), NOW + DAY).held_until is None
