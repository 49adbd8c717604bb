"""A goal with steps of its own: whoever meets it is pulled over to them from wherever it is, and ends by the goal."""

from datetime import timedelta
from typing import Any

import pytest

from journeys.outcomes import JourneyState, StepVerdict
from journeys.plan import Plan, compile_plan
from kit.errors import Invalid
from tests.support.journeys import journey
from tests.support.temporal import a_plan
from tests.unit.workflows.conftest import ENROLLMENT, NOW
from workflows.inbox import Move, ending, next_move, receive
from workflows.messages import EXIT_REQUESTED, Delivery, compact_plan
from workflows.migration import NO_TARGET, migrated, objection_to
from workflows.state import EnrollmentState, Migration
from workflows.transitions import Departure, begin, leave, park, pull

HOUR = timedelta(hours=1)
PAUSE = {"id": "pause", "wait": "1d"}
MAIL = {"id": "mail", "send": {"template": "offer"}}
THANKS = {"id": "thanks", "send": {"template": "thanks"}}
GOAL: dict[str, Any] = {
    "type": "sell",
    "event": "order.placed",
    "within": "30d",
    "then": [THANKS, {"list": {"add": "x"}}],
}
REFUNDED = {"event": "order.refunded"}
PLAN = a_plan([PAUSE, MAIL], goal=GOAL, exit=[REFUNDED])


def inside() -> EnrollmentState:
    return begin(PLAN, entered_at=NOW, now=NOW)


def meet(state: EnrollmentState, *criteria: str, number: int = 1, plan: Plan = PLAN) -> None:
    at = NOW + number * HOUR
    receive(
        state,
        plan,
        ENROLLMENT,
        Delivery(enrollment_id=ENROLLMENT, event_id=f"event-{number}", at=at, criteria=list(criteria)),
    )


def pulled() -> EnrollmentState:
    state = inside()
    meet(state, "goal")
    pull(state, PLAN, NOW + HOUR)
    return state


def test_the_step_is_left_undone_because_of_the_goal() -> None:
    state = pulled()
    (decision,) = state.journal
    assert (decision.step, decision.verdict, decision.next_step) == ("pause", StepVerdict.SKIPPED, "thanks")
    assert (decision.because, decision.cause_event_id) == ("goal reached: order.placed", "event-1")
    assert (state.at, state.since, state.planned_at) == ("thanks", NOW + HOUR, NOW + HOUR)
    assert next_move(state, PLAN) is Move.STEP


def test_it_happens_once() -> None:
    state = pulled()
    meet(state, "goal", number=2)
    assert next_move(state, PLAN) is Move.STEP
    assert ending(state, PLAN) is None


def test_a_pause_holds_at_the_first_of_the_steps() -> None:
    state = inside()
    state.paused_at = NOW
    meet(state, "goal")
    assert next_move(state, PLAN) is Move.PULL
    pull(state, PLAN, NOW + HOUR)
    assert (state.at, next_move(state, PLAN)) == ("thanks", Move.HOLD)


def test_what_was_asked_of_the_step_it_left_has_lost_its_object() -> None:
    state = inside()
    park(state, "no such template", NOW)
    state.commands += ["retry", "skip:ops", "decide:approved:ops"]
    meet(state, "goal")
    pull(state, PLAN, NOW + HOUR)
    assert (state.attention, state.commands) == (None, [])
    assert state.journal[-1].because == "goal reached: order.placed (it had failed: no such template)"


def test_whoever_meets_it_with_the_last_step_done_is_pulled_all_the_same() -> None:
    state = inside()
    leave(state, Departure(None), NOW + HOUR)
    meet(state, "goal")
    assert next_move(state, PLAN) is Move.PULL
    pull(state, PLAN, NOW + HOUR)
    (decision,) = state.journal
    assert (decision.verdict, decision.next_step) == (StepVerdict.PASSED, "thanks")
    assert (state.at, state.iterations["thanks"]) == ("thanks", 1)


def test_behind_the_steps_it_ends() -> None:
    state = pulled()
    leave(state, Departure(None), NOW + HOUR)
    assert next_move(state, PLAN) is Move.END


@pytest.mark.parametrize("number", [1, 2], ids=["before the steps are begun", "while they are walked"])
@pytest.mark.parametrize("how", ["criterion", "request", "command"])
def test_an_exit_cuts_the_steps_short_and_the_goal_stays_met(how: str, number: int) -> None:
    state = inside() if number == 1 else pulled()
    meet(state, "goal")
    if how == "command":
        state.commands.append("exit:unsubscribed")
    else:
        meet(state, "exit:1" if how == "criterion" else EXIT_REQUESTED, number=2)
    end = ending(state, PLAN)
    assert end is not None
    assert next_move(state, PLAN) is Move.END
    assert end.state is JourneyState.GOAL_MET
    assert end.reason.startswith("goal reached: order.placed; then ")


def test_whoever_has_left_by_an_exit_is_not_pulled_any_more() -> None:
    state = inside()
    meet(state, "exit:1")
    meet(state, "goal", number=2)
    end = ending(state, PLAN)
    assert end is not None
    assert (end.state, next_move(state, PLAN)) == (JourneyState.EXITED, Move.END)


def test_a_goal_met_too_late_pulls_nobody() -> None:
    state = inside()
    meet(state, "goal", number=31 * 24)
    assert next_move(state, PLAN) is Move.STEP


def test_without_steps_for_it_neither_plan_nor_state_says_a_word_more() -> None:
    goal = {key: value for key, value in GOAL.items() if key != "then"}
    plan = a_plan([PAUSE, MAIL], goal=goal)
    assert "then" not in compact_plan(plan)["criteria"]["goal"]
    assert "then" not in journey(goal=goal).model_dump(mode="json")["goal"]
    assert "goal" not in begin(plan, entered_at=NOW, now=NOW).model_dump(mode="json")


class TestMigrating:
    def test_a_migration_comes_behind_the_goal(self) -> None:
        state = inside()
        state.migration = to(a_plan([PAUSE], goal=GOAL))
        meet(state, "goal")
        assert next_move(state, PLAN) is Move.PULL

    def test_it_goes_on_behind_the_goal_of_the_newer_version_and_is_not_pulled_again(self) -> None:
        longer = {**GOAL, "then": [{"list": {"add": "buyers"}}, THANKS]}
        new = a_plan([PAUSE], goal=longer)
        after = migrated(pulled(), PLAN, to(new), NOW + 2 * HOUR)
        assert (after.at, next_move(after, new)) == ("thanks", Move.STEP)
        assert ending(after, new) is None

    @pytest.mark.parametrize("mapping", [{}, {"thanks": "pause"}], ids=["by its name", "by a mapping"])
    def test_it_is_not_moved_back_among_those_who_have_not_met_it(self, mapping: dict[str, str]) -> None:
        new = a_plan([PAUSE, THANKS])
        objection = objection_to(to(new, mapping=mapping), pulled(), PLAN, ENROLLMENT)
        assert objection is not None
        assert objection[0] == NO_TARGET
        waiting = pulled()
        waiting.migration = to(new, mapping=mapping)
        assert next_move(waiting, PLAN) is Move.STEP

    def test_nobody_is_moved_behind_a_goal_that_it_has_not_met(self) -> None:
        new = a_plan([PAUSE], goal={**GOAL, "then": [MAIL]})
        state = inside()
        leave(state, Departure("mail"), NOW)
        objection = objection_to(to(new), state, PLAN, ENROLLMENT)
        assert objection is not None
        assert objection[0] == NO_TARGET

    def test_a_goal_that_has_got_steps_is_the_same_goal(self) -> None:
        old = a_plan([PAUSE], goal={**GOAL, "then": []})
        new = a_plan([PAUSE], goal=GOAL)
        state = begin(old, entered_at=NOW, now=NOW)
        after = migrated(state, old, to(new), NOW + HOUR)
        meet(after, "goal", plan=new)
        assert next_move(after, new) is Move.PULL


def to(new: Plan, **more: Any) -> Migration:
    newer = new.model_copy(update={"version": PLAN.version + 1})
    return Migration(enrollment_id=ENROLLMENT, version=newer.version, plan=compact_plan(newer), **more)


def test_a_goal_that_nobody_leaves_by_has_no_steps() -> None:
    with pytest.raises(Invalid, match="`then` ends the journey behind its steps, and `exit: false` says"):
        journey(goal={**GOAL, "exit": False})


def test_steps_for_the_goal_rename_none_of_the_others() -> None:
    parts: dict[str, Any] = {"steps": [{"wait": "1d"}, {"send": {"template": "offer"}}]}
    before = compile_plan(journey(**parts, goal={**GOAL, "then": []}), 1)
    after = compile_plan(journey(**parts, goal={**GOAL, "then": [{"wait": "2d"}, {"send": {"template": "t"}}]}), 1)
    assert list(after.nodes)[: len(before.nodes)] == list(before.nodes)
    assert after.nodes_after_goal == {"wait-2", "send-2"}
