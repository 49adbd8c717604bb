from datetime import timedelta
from uuid import UUID

import pytest

from journeys.outcomes import JourneyState
from journeys.plan import Plan
from journeys.steps.wait_for import WaitForNode
from tests.unit.workflows.conftest import ENROLLMENT, NOW
from workflows.inbox import Move, awaited, ending, next_move, objection, receive, said_by, standing
from workflows.limits import REMEMBERED_EVENTS
from workflows.messages import EXIT_REQUESTED, Command, Delivery
from workflows.state import Attention, EnrollmentState
from workflows.transitions import park

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def an_event(*criteria: str, number: int = 1, after: timedelta = HOUR, reason: str = "") -> Delivery:
    return Delivery(
        enrollment_id=ENROLLMENT, event_id=f"event-{number}", at=NOW + after, criteria=list(criteria), reason=reason
    )


class TestReceive:
    def test_what_an_event_meets_is_remembered_with_event_and_time(self, state: EnrollmentState, plan: Plan) -> None:
        receive(state, plan, ENROLLMENT, an_event("goal", "step:bought"))
        assert {name: (met.event_id, met.at) for name, met in state.met.items()} == {
            "goal": ("event-1", NOW + HOUR),
            "step:bought": ("event-1", NOW + HOUR),
        }
        assert state.seen == ["event-1"]

    def test_another_enrollments_event_is_ignored(self, state: EnrollmentState, plan: Plan) -> None:
        before = state.model_copy(deep=True)
        receive(state, plan, UUID(int=2), an_event("goal"))
        assert state == before

    def test_a_seen_event_is_ignored_whatever_it_says(self, state: EnrollmentState, plan: Plan) -> None:
        receive(state, plan, ENROLLMENT, an_event("step:bought"))
        before = state.model_copy(deep=True)
        receive(state, plan, ENROLLMENT, an_event("goal"))
        assert state == before

    def test_an_event_that_meets_nothing_of_the_plan_is_not_remembered(
        self, state: EnrollmentState, plan: Plan
    ) -> None:
        before = state.model_copy(deep=True)
        receive(state, plan, ENROLLMENT, an_event("step:vanished"))
        assert state == before

    def test_an_ended_enrollment_takes_nothing(self, state: EnrollmentState, plan: Plan) -> None:
        state.state = JourneyState.COMPLETED
        receive(state, plan, ENROLLMENT, an_event("goal"))
        assert not state.met

    @pytest.mark.parametrize(("after", "counts"), [(30 * DAY, True), (30 * DAY + timedelta(seconds=1), False)])
    def test_a_goal_counts_within_its_time_after_entry(
        self, state: EnrollmentState, plan: Plan, after: timedelta, *, counts: bool
    ) -> None:
        receive(state, plan, ENROLLMENT, an_event("goal", after=after))
        assert ("goal" in state.met) is counts

    def test_only_the_newest_event_ids_are_kept(self, state: EnrollmentState, plan: Plan) -> None:
        for number in range(REMEMBERED_EVENTS + 10):
            receive(state, plan, ENROLLMENT, an_event("step:asked", number=number, after=timedelta(seconds=number)))
        assert len(state.seen) == REMEMBERED_EVENTS
        assert state.seen[-1] == f"event-{REMEMBERED_EVENTS + 9}"

    def test_a_late_report_of_an_earlier_event_does_not_hide_the_later_one(
        self, state: EnrollmentState, plan: Plan
    ) -> None:
        receive(state, plan, ENROLLMENT, an_event("step:asked", number=1, after=3 * HOUR))
        receive(state, plan, ENROLLMENT, an_event("step:asked", number=2, after=HOUR))
        assert state.met["step:asked"].event_id == "event-1"

    def test_a_long_reason_is_cut(self, state: EnrollmentState, plan: Plan) -> None:
        receive(state, plan, ENROLLMENT, an_event(EXIT_REQUESTED, reason="x" * 10_000))
        end = ending(state, plan)
        assert end is not None
        assert len(end.reason) <= 300


class TestExitAtSomeSteps:
    @pytest.mark.parametrize(
        ("steps", "ends"), [(["pause"], True), (["asked", "pause"], True), (["asked"], False), ([], False)]
    )
    def test_an_exit_that_is_meant_for_some_steps_counts_there_only(
        self, state: EnrollmentState, plan: Plan, steps: list[str], *, ends: bool
    ) -> None:
        delivery = an_event("step:bought", EXIT_REQUESTED, reason="withdrawn").model_copy(update={"exit_at": steps})
        receive(state, plan, ENROLLMENT, delivery)
        assert (ending(state, plan) is not None) is ends
        assert "step:bought" in state.met

    def test_steps_of_another_version_are_not_meant(self, state: EnrollmentState, plan: Plan) -> None:
        other = {"exit_at": ["pause"], "version": plan.version + 1}
        receive(state, plan, ENROLLMENT, an_event(EXIT_REQUESTED).model_copy(update=other))
        assert ending(state, plan) is None

    def test_an_exit_for_all_says_nothing_of_steps(self) -> None:
        assert "exit_at" not in an_event(EXIT_REQUESTED).model_dump()


class TestEnding:
    def test_nothing_asks_for_an_end_at_first(self, state: EnrollmentState, plan: Plan) -> None:
        assert ending(state, plan) is None

    def test_the_first_that_came_decides(self, state: EnrollmentState, plan: Plan) -> None:
        receive(state, plan, ENROLLMENT, an_event("exit:1", number=1))
        receive(state, plan, ENROLLMENT, an_event("goal", number=2))
        end = ending(state, plan)
        assert end is not None
        assert (end.state, end.reason, end.cause_event_id) == (
            JourneyState.EXITED,
            "exit criterion met: order.refunded",
            "event-1",
        )

    def test_a_request_without_a_reason_still_has_one(self, state: EnrollmentState, plan: Plan) -> None:
        receive(state, plan, ENROLLMENT, an_event(EXIT_REQUESTED))
        end = ending(state, plan)
        assert end is not None
        assert end.reason == "exit requested"


class TestNextMove:
    def test_precedence_is_end_skip_hold_retry_park_step(self, state: EnrollmentState, plan: Plan) -> None:
        assert next_move(state, plan) is Move.STEP
        park(state, "failed", NOW)
        assert next_move(state, plan) is Move.PARK
        state.commands.append("retry")
        assert next_move(state, plan) is Move.RETRY
        state.paused_at = NOW
        assert next_move(state, plan) is Move.HOLD
        state.commands.append("skip:ops-1")
        assert next_move(state, plan) is Move.SKIP
        receive(state, plan, ENROLLMENT, an_event("goal"))
        assert next_move(state, plan) is Move.END

    def test_after_the_last_step_comes_the_end(self, state: EnrollmentState, plan: Plan) -> None:
        state.at = None
        assert next_move(state, plan) is Move.END


class TestAwaited:
    def test_since_entry_takes_any_event_of_the_enrollment(self, state: EnrollmentState, plan: Plan) -> None:
        receive(state, plan, ENROLLMENT, an_event("step:bought", after=HOUR))
        state.since = NOW + DAY
        assert awaited(state, node(plan, "bought")) is not None

    @pytest.mark.parametrize(("after", "taken"), [(DAY - HOUR, False), (DAY, True), (DAY + HOUR, True)])
    def test_since_step_takes_events_from_the_step_on(
        self, state: EnrollmentState, plan: Plan, after: timedelta, *, taken: bool
    ) -> None:
        receive(state, plan, ENROLLMENT, an_event("step:asked", after=after))
        state.since = NOW + DAY
        assert (awaited(state, node(plan, "asked")) is not None) is taken


def node(plan: Plan, step: str) -> WaitForNode:
    found = plan.nodes[step]
    assert isinstance(found, WaitForNode)
    return found


class TestObjection:
    COMMAND = Command(by="ops-1")

    @pytest.mark.parametrize("name", ["pause", "resume", "skip", "retry"])
    def test_nothing_is_allowed_after_the_end(self, state: EnrollmentState, name: str) -> None:
        state.state = JourneyState.GOAL_MET
        assert "has ended" in (objection(state, name, self.COMMAND, ENROLLMENT) or "")

    @pytest.mark.parametrize("name", ["pause", "skip"])
    def test_what_runs_may_be_paused_and_skipped(self, state: EnrollmentState, name: str) -> None:
        assert objection(state, name, self.COMMAND, ENROLLMENT) is None

    @pytest.mark.parametrize("name", ["skip", "reschedule", "decide"])
    def test_nothing_is_asked_of_a_step_that_is_being_skipped(self, state: EnrollmentState, name: str) -> None:
        state.commands.append("skip:ops-1")
        assert "being carried out" in (objection(state, name, self.COMMAND, ENROLLMENT) or "")

    def test_a_parked_one_may_be_retried(self, state: EnrollmentState) -> None:
        state.attention = Attention(step="pause", reason="failed", since=NOW)
        assert objection(state, "retry", self.COMMAND, ENROLLMENT) is None

    def test_a_command_names_its_enrollment_or_none(self, state: EnrollmentState) -> None:
        own, foreign = (Command(by="ops-1", enrollment_id=identifier) for identifier in (ENROLLMENT, UUID(int=9)))
        assert objection(state, "pause", own, ENROLLMENT) is None
        assert objection(state, "pause", foreign, ENROLLMENT) is not None


def test_standing_names_what_holds_it_up_before_what_it_does(state: EnrollmentState) -> None:
    assert standing(state) is JourneyState.RUNNING
    state.due_at = NOW
    assert standing(state) is JourneyState.WAITING
    state.attention = Attention(step="pause", reason="failed", since=NOW)
    assert standing(state) is JourneyState.NEEDS_ATTENTION
    state.paused_at = NOW
    assert standing(state) is JourneyState.PAUSED
    state.state = JourneyState.EXITED
    assert standing(state) is JourneyState.EXITED


def test_who_asked_and_why_is_bounded() -> None:
    assert said_by(Command(by="ops-1")) == "ops-1"
    assert said_by(Command(by="ops-1", reason="looked into it")) == "ops-1: looked into it"
    assert len(said_by(Command(by="ops-1", reason="x" * 1_000))) == 300
