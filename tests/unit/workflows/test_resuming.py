from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.outcomes import StepVerdict
from journeys.plan import Plan
from journeys.resuming import Resuming
from tests.support.temporal import a_plan
from tests.unit.workflows.conftest import NOW
from workflows.resuming import resume
from workflows.state import EnrollmentState
from workflows.transitions import Departure, begin, expiry, leave, park

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
HOURS = st.integers(0, 1_000).map(lambda hours: hours * HOUR)
PLAN = a_plan(
    [
        {"id": "first", "wait": "1d"},
        {"id": "hello", "send": {"template": "hello"}, "expires_after": "2d"},
        {"id": "second", "wait": "1d"},
        {"id": "monday", "wait": "1 day at 09:00"},
        {"id": "bye", "send": {"template": "bye"}},
    ]
)


def paused(plan: Plan = PLAN, *, at: str = "first", after: timedelta = HOUR) -> EnrollmentState:
    state = begin(plan, entered_at=NOW, now=NOW)
    state.at, state.iterations, state.paused_at = at, {at: 1}, NOW + after
    return state


@given(begun=st.booleans(), before=HOURS, length=HOURS)
def test_shifting_keeps_what_was_left_of_a_wait(begun: bool, before: timedelta, length: timedelta) -> None:  # noqa: FBT001
    state = paused(after=before)
    state.due_at = NOW + DAY if begun else None
    resume(state, PLAN, Resuming.SHIFT, NOW + before + length)
    assert state.due_at == NOW + DAY + length
    assert state.planned_at == NOW + length


@given(lengths=st.lists(HOURS, min_size=1, max_size=4))
def test_pauses_add_up(lengths: list[timedelta]) -> None:
    state, now = paused(), NOW + HOUR
    for length in lengths:
        state.paused_at = now
        now += length
        resume(state, PLAN, Resuming.SHIFT, now)
    assert state.due_at == NOW + DAY + sum(lengths, timedelta())
    assert state.shifted_by == sum(lengths, timedelta())


def test_a_step_reached_during_the_pause_has_waited_for_none_of_what_was_before_it() -> None:
    state, skipped, resumed = paused(), NOW + 3 * HOUR, NOW + 5 * HOUR
    leave(state, Departure("second", verdict=StepVerdict.SKIPPED, planned_at=skipped), skipped)
    resume(state, PLAN, Resuming.SHIFT, resumed)
    assert state.planned_at == resumed
    assert state.due_at == resumed + DAY


@pytest.mark.parametrize("step", ["monday", "hello"])
def test_a_moment_and_a_send_window_stay_where_they_are(step: str) -> None:
    state = paused(at=step)
    state.due_at = NOW + 2 * HOUR
    resume(state, PLAN, Resuming.SHIFT, NOW + DAY)
    assert state.due_at == NOW + 2 * HOUR


def test_an_end_that_a_person_named_stays_where_it_is() -> None:
    state = paused()
    state.due_at, state.rescheduled = NOW + 2 * HOUR, "ops-1"
    resume(state, PLAN, Resuming.SHIFT, NOW + DAY)
    assert state.due_at == NOW + 2 * HOUR


@pytest.mark.parametrize("policy", Resuming)
def test_what_needs_attention_goes_on_waiting_for_it(policy: Resuming) -> None:
    state = paused(at="hello")
    park(state, "failed", NOW)
    resume(state, PLAN, policy, NOW + 30 * DAY)
    assert state.attention is not None
    assert (state.due_at, state.dropping_before) == (None, None)


@given(planned=HOURS, length=HOURS)
def test_a_message_is_dropped_exactly_where_its_time_passed_before_resuming(
    planned: timedelta, length: timedelta
) -> None:
    state = paused(at="bye")
    state.planned_at = NOW + planned
    resumed = NOW + HOUR + length
    resume(state, PLAN, Resuming.DROP_IF_LATE, resumed)
    left = expiry(state, PLAN.nodes["bye"], max(resumed, state.planned_at))
    assert (left is not None) == (state.planned_at < resumed)
    if left is not None:
        assert (left.verdict, left.next) == (StepVerdict.SKIPPED, None)


def test_a_message_whose_window_opened_during_the_pause_is_dropped() -> None:
    state = paused(at="bye")
    state.due_at = NOW + 2 * HOUR
    resume(state, PLAN, Resuming.DROP_IF_LATE, NOW + DAY)
    assert expiry(state, PLAN.nodes["bye"], NOW + DAY) is not None


def test_nothing_is_dropped_any_more_once_a_step_is_reached_in_time() -> None:
    state = paused()
    state.due_at = NOW + DAY
    resume(state, PLAN, Resuming.DROP_IF_LATE, NOW + 2 * DAY)
    leave(state, Departure("hello"), NOW + 2 * DAY)
    assert state.dropping_before is not None
    leave(state, Departure("second"), NOW + 2 * DAY)
    state.due_at = NOW + 3 * DAY
    leave(state, Departure("bye"), NOW + 3 * DAY)
    assert state.dropping_before is None


@pytest.mark.parametrize("policy", [Resuming.CATCH_UP, Resuming.DROP_IF_LATE])
def test_otherwise_waits_end_when_they_always_would_have(policy: Resuming) -> None:
    state = paused()
    state.due_at = NOW + DAY
    resume(state, PLAN, policy, NOW + 2 * DAY)
    assert (state.due_at, state.planned_at) == (NOW + DAY, NOW)


def test_a_state_without_pauses_is_written_as_before() -> None:
    written = begin(PLAN, entered_at=NOW, now=NOW).model_dump(mode="json")
    assert not {"shifted_by", "dropping_before"} & set(written)
