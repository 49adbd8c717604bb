from datetime import timedelta

import pytest

from journeys.outcomes import JourneyState
from journeys.plan import Plan
from tests.unit.workflows.conftest import NOW
from workflows.inbox import Ending
from workflows.state import EnrollmentState
from workflows.transitions import Departure, abandon, leave, park, retry, skip

LATER = NOW + timedelta(hours=1)


def test_leaving_writes_one_decision_and_reaches_the_next_step(state: EnrollmentState) -> None:
    state.due_at = LATER
    leave(state, Departure("asked", result="done", because="time passed", cause_event_id="event-1"), LATER)
    (decision,) = state.journal
    assert (decision.ordinal, decision.step, decision.next_step) == (0, "pause", "asked")
    assert (decision.entered_at, decision.at, decision.cause_event_id) == (NOW, LATER, "event-1")
    reached = {"at": "asked", "since": LATER, "due_at": None, "ordinal": 1}
    assert state.model_dump(include=set(reached)) == reached
    assert state.results == {"pause": "done"}
    assert state.iterations == {"pause": 1, "asked": 1}
    assert state.why == "`pause` passed: time passed"


def test_a_step_reached_again_has_another_iteration(state: EnrollmentState) -> None:
    leave(state, Departure("pause"), LATER)
    assert state.iterations == {"pause": 2}


def test_a_departure_without_a_result_leaves_none(state: EnrollmentState) -> None:
    leave(state, Departure(None), LATER)
    assert not state.results
    assert state.at is None


def test_the_end_at_a_step_is_a_decision_of_its_own(state: EnrollmentState) -> None:
    abandon(state, Ending(JourneyState.GOAL_MET, "goal reached: review.created", "event-1"), LATER)
    (decision,) = state.journal
    assert (decision.verdict, decision.cause_event_id, decision.next_step) == ("exited", "event-1", None)


def test_parking_keeps_the_step_and_bounds_the_reason(state: EnrollmentState) -> None:
    state.due_at = LATER
    park(state, "x" * 1_000, LATER)
    assert state.attention is not None
    assert len(state.attention.reason) == 300
    parked: dict[str, object] = {"at": "pause", "due_at": None, "journal": []}
    assert state.model_dump(include=set(parked)) == parked


def test_a_retry_keeps_the_iteration(state: EnrollmentState) -> None:
    park(state, "failed", LATER)
    state.commands.append("retry")
    retry(state)
    assert (state.attention, state.commands, state.iterations) == (None, [], {"pause": 1})


def test_a_skip_says_who_and_what_had_failed(state: EnrollmentState, plan: Plan) -> None:
    park(state, "no such template", LATER)
    state.commands += ["retry", "skip:ops-1: not needed"]
    skip(state, plan, LATER)
    (decision,) = state.journal
    assert decision.verdict == "skipped"
    assert decision.because == "skipped by ops-1: not needed (it had failed: no such template)"
    assert (state.at, state.attention, state.commands) == ("asked", None, [])


@pytest.mark.parametrize(
    ("step", "target"),
    [("pause", "asked"), ("asked", "reminder"), ("reviewed", "done"), ("request", None)],
)
def test_a_skip_goes_on_as_if_nothing_had_come_or_held(plan: Plan, step: str, target: str | None) -> None:
    assert plan.nodes[step].skipped_to() == target
