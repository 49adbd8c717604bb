"""How the state changes when a step is reached, left, parked, skipped or retried. Pure; only the main loop calls it."""

from dataclasses import dataclass, replace
from datetime import datetime

from journeys.duration import describe_duration
from journeys.outcomes import StepVerdict
from journeys.plan import Plan
from journeys.steps.registry import Node
from workflows.inbox import DECIDE, RETRY, SKIP, Ending, goal_reason, pulling
from workflows.limits import LONGEST_REASON
from workflows.resuming import told_of_shift
from workflows.state import Attention, Decision, EnrollmentState


@dataclass(frozen=True)
class Departure:
    """How a step is left: where to, with which result and verdict, because of what."""

    next: str | None
    result: str = ""
    because: str = ""
    cause_event_id: str | None = None
    verdict: StepVerdict = StepVerdict.PASSED
    planned_at: datetime | None = None
    """When it would have been left had nothing been late, where that is not told by the end of its wait."""


def begin(plan: Plan, *, entered_at: datetime, now: datetime) -> EnrollmentState:
    """The state of an enrollment at the first step of its plan. Both instants are aware UTC."""
    return EnrollmentState(
        at=plan.start, since=now, entered_at=entered_at, planned_at=entered_at, iterations={plan.start: 1}
    )


def leave(state: EnrollmentState, departure: Departure, now: datetime) -> None:
    """Leave the current step: one decision, its result, and the next step reached at `now`."""
    assert state.at is not None
    if told := _told_of_the_wait(state):
        departure = replace(departure, because=f"{departure.because} ({told})" if departure.because else told)
    state.journal.append(_decision(state, state.at, departure, now))
    state.ordinal += 1
    if departure.result:
        state.results[state.at] = departure.result
    if departure.result or departure.verdict is not StepVerdict.PASSED:
        state.rounds.pop(state.at, None)  # a repeat is left for good; between its rounds it has no result
    state.planned_at = departure.planned_at or _planned(state, now)
    state.why = f"`{state.at}` {departure.verdict}" + (f": {departure.because}" if departure.because else "")
    state.due_at, state.attention = None, None
    state.commands = [command for command in state.commands if not command.startswith(DECIDE)]
    state.resolution, state.held_back, state.rescheduled, state.shifted_by = None, None, "", None
    state.held_until, state.begun = None, False
    if state.dropping_before and (state.planned_at or now) >= state.dropping_before:
        state.dropping_before = None
    _reach(state, departure.next, now)


def overtaken(state: EnrollmentState, departure: Departure) -> Departure:
    """The departure from a step that was done before the skip asked for could take hold of it: it has no object."""
    skip = next(command for command in state.commands if command.startswith(SKIP))
    state.commands = [command for command in state.commands if not command.startswith(SKIP)]
    too_late = f"too late to be skipped by {skip.removeprefix(SKIP)}"
    because = f"{departure.because} ({too_late})" if departure.because else too_late
    return replace(departure, because=because)


def _reach(state: EnrollmentState, step: str | None, now: datetime) -> None:
    state.at, state.since = step, now
    if step is not None:
        state.iterations[step] = state.iterations.get(step, 0) + 1


def _told_of_the_wait(state: EnrollmentState) -> str:
    """What people have done to the end of the wait, in words."""
    told = [f"rescheduled by {state.rescheduled}"] if state.rescheduled and state.due_at else []
    return "; ".join([*told, *filter(None, [told_of_shift(state)])])


def _planned(state: EnrollmentState, now: datetime) -> datetime | None:
    """When the current step would have been left had nothing been late: at the end of its wait, else as reached."""
    return min(state.due_at, now) if state.due_at else state.planned_at


def expiry(state: EnrollmentState, node: Node, now: datetime) -> Departure | None:
    """How a step is left that is taken up too late to be of use; None where it is not. A wait that runs goes on."""
    if dropped := _dropped(state, node):
        return dropped
    late = now - (state.planned_at or state.since)
    if node.expires_after is None or state.due_at or state.begun or late <= node.expires_after:
        return None
    because = f"too late by {describe_duration(late)}: it is of use for {describe_duration(node.expires_after)}"
    return Departure(node.skipped_to(), because=because, verdict=StepVerdict.SKIPPED)


def _dropped(state: EnrollmentState, node: Node) -> Departure | None:
    """How a message is left out whose time has passed during a pause; None where it has not, or nothing is dropped."""
    planned = state.due_at or state.held_until or state.planned_at or state.since
    if not node.passes_with_time or state.dropping_before is None or planned >= state.dropping_before:
        return None
    late = describe_duration(state.dropping_before - planned)
    because = f"its time passed during a pause, {late} before it was resumed"
    return Departure(node.skipped_to(), because=because, verdict=StepVerdict.SKIPPED)


def _decision(state: EnrollmentState, step: str, departure: Departure, now: datetime) -> Decision:
    return Decision(
        ordinal=state.ordinal,
        step=step,
        verdict=departure.verdict,
        result=departure.result,
        because=departure.because[:LONGEST_REASON],
        cause_event_id=departure.cause_event_id,
        entered_at=state.since,
        at=now,
        next_step=departure.next,
        version=state.version,
    )


def pull(state: EnrollmentState, plan: Plan, now: datetime) -> None:
    """Go over to the steps behind the goal that has been met, once: the current step is left undone.

    What was asked of that step has lost its object. A pause stays: it holds at the first of those steps.
    """
    goal = pulling(state, plan)
    assert goal is not None  # the move is only asked for where there is one
    state.goal = goal
    state.commands = [command for command in state.commands if command != RETRY and not command.startswith(SKIP)]
    if state.at is None:  # met while the last step was done, whose decision is not written yet
        state.journal[-1] = state.journal[-1].model_copy(update={"next_step": plan.after_goal})
        _reach(state, plan.after_goal, now)
        return
    failed = f" (it had failed: {state.attention.reason})" if state.attention else ""
    departure = Departure(
        plan.after_goal,
        because=f"{goal_reason(goal)}{failed}",
        cause_event_id=goal.event_id,
        verdict=StepVerdict.SKIPPED,
        planned_at=now,
    )
    leave(state, departure, now)


def abandon(state: EnrollmentState, ending: Ending, now: datetime) -> None:
    """Leave the current step because the enrollment ends at it."""
    because, cause = ending.reason, ending.cause_event_id
    leave(state, Departure(None, because=because, cause_event_id=cause, verdict=StepVerdict.EXITED), now)


def park(state: EnrollmentState, reason: str, now: datetime) -> None:
    """Stay at the current step as one that needs attention. A running wait of the step is forgotten."""
    assert state.at is not None
    state.attention = Attention(step=state.at, reason=reason[:LONGEST_REASON], since=now)
    state.due_at, state.resolution, state.held_back, state.rescheduled = None, None, None, ""
    state.shifted_by, state.held_until, state.begun = None, None, False


def retry(state: EnrollmentState) -> None:
    """Take the parked step up again, under the same iteration: what it did already is not done twice."""
    state.attention = None
    state.commands.remove(RETRY)


def skip(state: EnrollmentState, plan: Plan, now: datetime) -> None:
    """Leave the current step undone. A retry that was asked for at the same time has lost its object."""
    assert state.at is not None
    why = next(command for command in state.commands if command.startswith(SKIP))
    failed = f" (it had failed: {state.attention.reason})" if state.attention else ""
    state.commands = [command for command in state.commands if command not in {why, RETRY}]
    because = f"skipped by {why.removeprefix(SKIP)}{failed}"
    target = plan.nodes[state.at].skipped_to()
    leave(state, Departure(target, because=because, verdict=StepVerdict.SKIPPED, planned_at=now), now)
