"""What messages do to the state, and which move the state asks for next. Pure: no Temporal, no clock, no effects.

Signals and updates only record here; the main loop of `workflows.journey` asks `next_move` and acts.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from journeys.duration import LONGEST as LONGEST_WAIT
from journeys.outcomes import ENDED, JourneyState
from journeys.plan import GOAL, Criterion, Plan, Role
from journeys.steps.approve import ApproveNode
from journeys.steps.wait import WaitUntilNode
from journeys.steps.wait_for import WaitForNode
from journeys.steps.wait_for_first import AwaitedWay, WaitForFirstNode
from workflows.limits import LONGEST_REASON, REMEMBERED_EVENTS
from workflows.messages import EXIT_REQUESTED, Command, Decide, Delivery, Place, Reschedule
from workflows.state import EnrollmentState, GoalReached, Met

EXIT = "exit:"
SKIP = "skip:"
RETRY = "retry"
DECIDE = "decide:"


class Move(StrEnum):
    """What the main loop does next. The order is the precedence: an end beats a skip, a skip beats a pause.

    A migration comes before all that concerns the step: it may be another one afterwards. A goal counts in the version
    in which it was met, like an end.
    """

    END = "end"
    PULL = "pull"
    MIGRATE = "migrate"
    SKIP = "skip"
    HOLD = "hold"
    RETRY = "retry"
    PARK = "park"
    STEP = "step"


@dataclass(frozen=True)
class Ending:
    """How and why an enrollment ends, and the event that ended it."""

    state: JourneyState
    reason: str
    cause_event_id: str | None = None


def receive(state: EnrollmentState, plan: Plan, enrollment_id: UUID, delivery: Delivery) -> None:
    """Record which criteria an event met. Another enrollment's, a repeated and a late delivery change nothing."""
    if delivery.enrollment_id != enrollment_id or delivery.event_id in state.seen or state.state in ENDED:
        return
    named = [name for name in delivery.criteria if _concerns(state, plan, name, delivery)]
    counted = [criterion for criterion in named if _counts(state, plan, criterion, delivery)]
    for criterion in counted:
        state.met[criterion] = Met(event_id=delivery.event_id, at=delivery.at)
        if criterion == EXIT_REQUESTED:
            state.commands.append(EXIT + delivery.reason[:LONGEST_REASON])
        if _mends(state, plan.criteria.get(criterion)):
            state.commands.append(RETRY)
    if counted:
        state.seen = [*state.seen, delivery.event_id][-REMEMBERED_EVENTS:]


def _concerns(state: EnrollmentState, plan: Plan, name: str, delivery: Delivery) -> bool:
    """Whether a criterion is of this version, or one that all have; an exit may be meant for some steps only."""
    if name == EXIT_REQUESTED and delivery.exit_at is None:
        return True
    own = delivery.version in {None, plan.version}
    return own and (name != EXIT_REQUESTED or state.at in (delivery.exit_at or ()))


def _mends(state: EnrollmentState, criterion: Criterion | None) -> bool:
    """Whether a date that came or moved is what the parked step may have lacked."""
    if criterion is None or criterion.role is not Role.MOVED or criterion.step != state.at:
        return False
    return state.attention is not None and RETRY not in state.commands


def _counts(state: EnrollmentState, plan: Plan, name: str, delivery: Delivery) -> bool:
    """Whether a criterion is one of ours, in time, and not met already (or, where the latest counts, met earlier)."""
    before = state.met.get(name)
    if name == EXIT_REQUESTED:
        return before is None
    criterion = plan.criteria.get(name)
    if criterion is None:
        return False
    if criterion.role is Role.GOAL and criterion.within and delivery.at - state.entered_at > criterion.within:
        return False
    if before is None or criterion.role is Role.LOOK:
        return True
    if criterion.role is Role.MOVED:  # what is known of a contact is written in the order of the log
        return bool(criterion.changed) or delivery.at >= before.at
    return _latest_counts(plan, name, criterion) and delivery.at > before.at


def _latest_counts(plan: Plan, name: str, criterion: Criterion) -> bool:
    node = plan.nodes.get(criterion.step) if criterion.step else None
    return node is not None and node.latest_counts(name)


def awaited(state: EnrollmentState, node: WaitForNode) -> Met | None:
    """The event that fulfils a `wait_for`, or None while none has come."""
    met = state.met.get(node.criterion)
    return met if met and (node.since == "entry" or met.at >= state.since) else None


def first_come(state: EnrollmentState, node: WaitForFirstNode) -> tuple[AwaitedWay, Met] | None:
    """The event that fulfils a wait for one of several: by rank, or else the one that occurred first; None: none yet.

    Of two that occurred at once, the one that stands first in the list.
    """
    met = [(way, state.met[way.criterion]) for way in node.awaited if way.criterion in state.met]
    come = [(way, met) for way, met in met if way.since == "entry" or met.at >= state.since]
    if node.ranked:
        return next(iter(come), None)
    return min(come, key=lambda found: found[1].at, default=None)


def looks_of(state: EnrollmentState, node: WaitForFirstNode) -> list[Met]:
    """The last events that may have changed what the conditions of a wait say."""
    return [state.met[criterion] for criterion in node.looks if criterion in state.met]


def moves_of(state: EnrollmentState, node: WaitUntilNode) -> dict[str, Met]:
    """The events that moved the moment a step waits for, by criterion: of each the last."""
    return {criterion: state.met[criterion] for criterion in node.moved if criterion in state.met}


def ending(state: EnrollmentState, plan: Plan) -> Ending | None:
    """The end that the first goal, exit criterion or request asks for; None while nothing does.

    Behind a goal with steps of its own, an exit cuts these short: whoever has met the goal leaves by it.
    """
    reached = state.goal
    for name, met in state.met.items():
        if name == EXIT_REQUESTED:
            return _left(reached, _exit_reason(state), met.event_id)
        criterion = plan.criteria.get(name)
        if criterion and criterion.role is Role.EXIT:
            return _left(reached, f"exit criterion met: {criterion.event}", met.event_id)
        if criterion and criterion.role is Role.GOAL and criterion.ends and reached is None:
            reached = GoalReached(event=criterion.event, event_id=met.event_id)
            if criterion.then is None:
                return goal_ending(reached)
    if any(command.startswith(EXIT) for command in state.commands):
        return _left(reached, _exit_reason(state), None)
    return None


def goal_ending(goal: GoalReached) -> Ending:
    """The end by the goal."""
    return Ending(JourneyState.GOAL_MET, goal_reason(goal), goal.event_id)


def goal_reason(goal: GoalReached) -> str:
    """Why whoever meets the goal is where it is, in plain words."""
    return f"goal reached: {goal.event}"


def _left(goal: GoalReached | None, reason: str, cause_event_id: str | None) -> Ending:
    """The end by an exit; of whoever has met the goal before, it is the goal's all the same."""
    if goal is None:
        return Ending(JourneyState.EXITED, reason, cause_event_id)
    return Ending(JourneyState.GOAL_MET, f"{goal_reason(goal)}; then {reason}", cause_event_id)


def pulling(state: EnrollmentState, plan: Plan) -> GoalReached | None:
    """The goal that has been met and has steps of its own, none of which was begun; None where there is none."""
    met = state.met.get(GOAL)
    if met is None or state.goal is not None or plan.after_goal is None:
        return None
    return GoalReached(event=plan.criteria[GOAL].event, event_id=met.event_id)


def _exit_reason(state: EnrollmentState) -> str:
    reasons = (command.removeprefix(EXIT) for command in state.commands if command.startswith(EXIT))
    return next(reasons, "") or "exit requested"


def next_move(state: EnrollmentState, plan: Plan) -> Move:
    """The move the state asks for."""
    if ending(state, plan):
        return Move.END
    if pulling(state, plan):
        return Move.PULL
    if state.at is None:
        return Move.END
    if state.migration is not None and state.migration.reaches(state.at, plan):
        return Move.MIGRATE
    return _move_at_step(state)


def _move_at_step(state: EnrollmentState) -> Move:
    if skip_asked(state):
        return Move.SKIP
    if state.paused_at:
        return Move.HOLD
    if state.attention:
        return Move.RETRY if RETRY in state.commands else Move.PARK
    return Move.STEP


def skip_asked(state: EnrollmentState) -> bool:
    """Whether a skip was accepted and not yet carried out."""
    return any(command.startswith(SKIP) for command in state.commands)


def standing(state: EnrollmentState) -> JourneyState:
    """What the enrollment does at this moment, as people and search attributes are told."""
    if state.state in ENDED:
        return state.state
    if state.paused_at:
        return JourneyState.PAUSED
    if state.attention:
        return JourneyState.NEEDS_ATTENTION
    return JourneyState.WAITING if state.due_at else JourneyState.RUNNING


def objection(state: EnrollmentState, name: str, command: Command, enrollment_id: UUID) -> str | None:
    """Why an update cannot be accepted now, as a sentence; None where it can."""
    if command.enrollment_id not in {None, enrollment_id}:
        return "This enrollment has ended; the contact has entered the journey again since."
    if state.state in ENDED or state.at is None:
        return "The enrollment has ended; nothing of it can be changed any more."
    if command.place is not None and command.place != Place(step=state.at, since=state.since):
        return f"The enrollment has gone on since it was found: it stands at step '{state.at}'."
    if isinstance(command, Reschedule) and (sentence := _not_to_be_moved(state, command.at)):
        return sentence
    return _out_of_place(state, name)


def is_over(state: EnrollmentState, command: Command, enrollment_id: UUID) -> bool:
    """Whether the enrollment that is meant has ended."""
    return command.enrollment_id not in {None, enrollment_id} or state.state in ENDED or state.at is None


def objection_to_answer(state: EnrollmentState, plan: Plan, answer: Decide) -> str | None:
    """Why an answer cannot be accepted now, besides what speaks against any command; None where it can."""
    assert state.at is not None
    if not isinstance(plan.nodes[state.at], ApproveNode):
        return f"The enrollment does not wait for a decision: it stands at step '{state.at}'."
    if answer.step not in {None, state.at}:
        return f"The enrollment waits for a decision at step '{state.at}', not at '{answer.step}'."
    if given_answer(state) is not None:
        return "It has been decided already."
    return None


@dataclass(frozen=True)
class GivenAnswer:
    """What was decided, and who said so and why."""

    answer: str
    said: str


def answered(answer: Decide) -> str:
    """The answer as a command of the state."""
    return f"{DECIDE}{answer.answer}:{said_by(answer)}"


def given_answer(state: EnrollmentState) -> GivenAnswer | None:
    """The answer to the approval that is waited for; None while there is none."""
    given = next((command for command in state.commands if command.startswith(DECIDE)), None)
    return GivenAnswer(*given.removeprefix(DECIDE).split(":", 1)) if given else None


def _out_of_place(state: EnrollmentState, name: str) -> str | None:
    if name == "resume" and state.paused_at is None:
        return "The enrollment is not paused, so it cannot be resumed."
    if name == "retry" and state.attention is None:
        return "The enrollment does not need attention, so there is no step to retry."
    if name in {"skip", "reschedule", "decide"} and skip_asked(state):
        return "A skip is being carried out already; ask again once the next step is reached."
    return None


def _not_to_be_moved(state: EnrollmentState, at: datetime) -> str | None:
    """Why the end of the wait cannot be moved to this instant."""
    if state.due_at is None:
        return "The enrollment is not waiting, so there is no wait whose end could be moved."
    if at.tzinfo is None:
        return "The instant has no offset from UTC, so it may mean any of many."
    if at - state.since > LONGEST_WAIT:
        return "The instant lies more than a hundred years ahead."
    return None


def said_by(command: Command) -> str:
    """Who asked and why, bounded, for decisions and details."""
    return f"{command.by}: {command.reason}"[:LONGEST_REASON] if command.reason else command.by[:LONGEST_REASON]
