"""Whatever is told to an enrollment in whatever order, its state stays sound and nothing of it is lost."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from journeys.outcomes import ENDED, JourneyState, StepVerdict
from journeys.resuming import Resuming
from tests.support.temporal import a_plan
from tests.unit.workflows.conftest import ENROLLMENT, NOW
from workflows.inbox import EXIT, RETRY, SKIP, Move, ending, next_move, objection, receive, standing
from workflows.messages import EXIT_REQUESTED, Command, Delivery, Reschedule
from workflows.resuming import resume
from workflows.state import EnrollmentState
from workflows.transitions import Departure, abandon, begin, leave, park, pull, retry, skip

PLAN = a_plan(
    [
        {"id": "first", "wait": "1d"},
        {"id": "asked", "wait_for": {"event": "page.viewed", "up_to": "2d", "since": "step"}},
        {"id": "tomorrow", "wait": {"on": "$entry.x", "moved_by": {"event": "moved"}, "late": "now"}},
        {"id": "reviewed", "if": {"none": {"event": "x"}}, "then": [{"id": "last", "send": {"template": "t"}}]},
    ],
    goal={"type": "sell", "event": "review.created"},
    exit=[{"event": "order.refunded"}],
)
PULLING_PLAN = a_plan(
    [
        {"id": "first", "wait": "1d"},
        {"id": "asked", "wait_for": {"event": "page.viewed", "up_to": "2d", "since": "step"}},
    ],
    goal={
        "type": "sell",
        "event": "review.created",
        "then": [{"id": "thanks", "send": {"template": "t"}}, {"id": "later", "wait": "1d"}],
    },
    exit=[{"event": "order.refunded"}],
)
CRITERIA = (*PLAN.criteria, EXIT_REQUESTED, "step:of-another-version")


class Enrollment(RuleBasedStateMachine):
    """Messages arrive, the main loop moves; both in any order, with the state written out and read in between."""

    plan = PLAN

    def __init__(self) -> None:
        super().__init__()
        self.state = begin(self.plan, entered_at=NOW, now=NOW)
        self.now = NOW
        self.delivered: list[Delivery] = []
        self.departed = 0
        self.first_end: str | None = None

    @rule(criteria=st.sets(st.sampled_from(CRITERIA)), number=st.integers(0, 5), ago=st.integers(-2, 2))
    def deliver(self, criteria: set[str], number: int, ago: int) -> None:
        at = self.now - timedelta(hours=ago)
        delivery = Delivery(enrollment_id=ENROLLMENT, event_id=f"event-{number}", at=at, criteria=sorted(criteria))
        receive(self.state, self.plan, ENROLLMENT, delivery)
        self.delivered.append(delivery)

    @precondition(lambda self: self.delivered)
    @rule(data=st.data())
    def deliver_again(self, data: st.DataObject) -> None:
        before = self.state.model_copy(deep=True)
        repeated = data.draw(st.sampled_from(self.delivered))
        receive(self.state, self.plan, ENROLLMENT, repeated)
        if repeated.event_id in before.seen:
            assert self.state == before

    @rule(hours=st.integers(-30, 30))
    def reschedule(self, hours: int) -> None:
        command = Reschedule(by="ops", at=self.now + timedelta(hours=hours))
        if objection(self.state, "reschedule", command, ENROLLMENT) is None:
            assert self.state.due_at is not None
            self.state.due_at, self.state.rescheduled = command.at, "ops"

    @precondition(lambda self: self.state.at is not None and not self.state.attention)
    @rule(hours=st.integers(1, 30))
    def begin_to_wait(self, hours: int) -> None:
        self.state.due_at = self.now + timedelta(hours=hours)

    @precondition(lambda self: self.state.paused_at is not None and self.state.state not in ENDED)
    @rule(policy=st.sampled_from(Resuming))
    def resume(self, policy: Resuming) -> None:
        due, paused_at = self.state.due_at, self.state.paused_at
        resume(self.state, self.plan, policy, self.now)
        assert self.state.paused_at is None
        assert paused_at is not None
        if due is not None:
            assert self.state.due_at in {due, due + (self.now - paused_at)}

    @rule(name=st.sampled_from(["pause", "skip", "retry"]))
    def command(self, name: str) -> None:
        if objection(self.state, name, Command(by="ops"), ENROLLMENT):
            return
        if name == "pause":
            self.state.paused_at = self.state.paused_at or self.now
        elif name == "skip":
            self.state.commands.append(SKIP + "ops")
        elif RETRY not in self.state.commands:
            self.state.commands.append(RETRY)

    @rule(hours=st.integers(1, 30), fails=st.booleans())
    def move(self, hours: int, *, fails: bool) -> None:
        """What the main loop does, with a step that passes or fails in an instant."""
        self.now += timedelta(hours=hours)
        match next_move(self.state, self.plan):
            case Move.END:
                self.end()
            case Move.PULL:
                self.departed += self.state.at is not None
                pull(self.state, self.plan, self.now)
            case Move.SKIP:
                skip(self.state, self.plan, self.now)
                self.departed += 1
            case Move.RETRY:
                retry(self.state)
            case Move.STEP if fails:
                park(self.state, "failed", self.now)
            case Move.STEP:
                assert self.state.at is not None
                leave(self.state, Departure(self.plan.nodes[self.state.at].next), self.now)
                self.departed += 1
            case Move.HOLD | Move.PARK:
                pass

    def end(self) -> None:
        if self.state.state in ENDED:
            return
        end = ending(self.state, self.plan)
        if end and self.state.at is not None:
            abandon(self.state, end, self.now)
            self.departed += 1
        done = JourneyState.GOAL_MET if self.state.goal else JourneyState.COMPLETED
        self.state.state = end.state if end else done

    @rule()
    def continue_as_new(self) -> None:
        carried = EnrollmentState.model_validate_json(self.state.model_dump_json())
        assert carried == self.state
        self.state = carried

    @invariant()
    def each_departure_is_one_decision(self) -> None:
        assert [decision.ordinal for decision in self.state.journal] == list(range(self.departed))

    @invariant()
    def decisions_follow_one_another(self) -> None:
        for before, after in zip(self.state.journal, self.state.journal[1:], strict=False):
            assert before.next_step == after.step
            assert before.at == after.entered_at

    @invariant()
    def only_the_last_decision_ends_it(self) -> None:
        assert all(decision.verdict is not StepVerdict.EXITED for decision in self.state.journal[:-1])

    @invariant()
    def an_end_once_asked_for_stays_the_same(self) -> None:
        end = ending(self.state, self.plan)
        if self.first_end is None and end:
            self.first_end = end.reason
        assert self.first_end is None or (end is not None and end.reason == self.first_end)

    @invariant()
    def where_it_stands_is_always_sayable(self) -> None:
        assert standing(self.state) in JourneyState
        assert self.state.at is None or self.state.at in self.plan.nodes

    @invariant()
    def nothing_of_another_version_is_remembered(self) -> None:
        assert set(self.state.met) <= {*self.plan.criteria, EXIT_REQUESTED}

    @invariant()
    def nobody_is_planned_for_later_than_now(self) -> None:
        assert self.state.planned_at is None or self.state.planned_at <= self.now

    @invariant()
    def a_rescheduling_is_forgotten_with_its_step(self) -> None:
        assert not self.state.rescheduled or self.state.due_at is not None

    @invariant()
    def commands_do_not_pile_up(self) -> None:
        for prefix in (SKIP, RETRY, EXIT):
            assert sum(command.startswith(prefix) for command in self.state.commands) <= 1


Enrollment.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestEnrollment = Enrollment.TestCase


class PulledEnrollment(Enrollment):
    """The same of a plan whose goal has steps of its own."""

    plan = PULLING_PLAN

    @invariant()
    def nobody_is_behind_the_goal_without_having_met_it(self) -> None:
        assert self.state.at not in self.plan.nodes_after_goal or self.state.goal is not None

    @invariant()
    def whoever_has_met_the_goal_is_behind_it(self) -> None:
        assert self.state.goal is None or self.state.at is None or self.state.at in self.plan.nodes_after_goal

    @invariant()
    def each_step_behind_the_goal_is_begun_once_at_most(self) -> None:
        assert all(self.state.iterations.get(step, 0) <= 1 for step in self.plan.nodes_after_goal)

    @invariant()
    def whoever_was_pulled_ends_by_the_goal(self) -> None:
        if self.state.goal is not None and self.state.state in ENDED:
            assert self.state.state is JourneyState.GOAL_MET


PulledEnrollment.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestPulledEnrollment = PulledEnrollment.TestCase
