"""What resuming does to the state, by the policy that was asked for. Pure; only the update `resume` calls it."""

from datetime import datetime, timedelta

from journeys.duration import describe_duration
from journeys.plan import Plan
from journeys.resuming import Resuming
from journeys.steps.registry import Node
from workflows.state import EnrollmentState


def resume(state: EnrollmentState, plan: Plan, policy: Resuming, now: datetime) -> None:
    """End the pause at `now` (aware UTC). What waits for a person's help goes on waiting for it, unchanged."""
    assert state.paused_at is not None
    # A step that was reached during the pause, by a skip, has stood still since then only.
    length = max(now - max(state.paused_at, state.since), timedelta())
    state.paused_at, state.pause_reason = None, ""
    if policy is Resuming.SHIFT:
        _shift(state, None if state.at is None else plan.nodes[state.at], length)
    elif policy is Resuming.DROP_IF_LATE and state.attention is None:
        state.dropping_before = now


def _shift(state: EnrollmentState, node: Node | None, length: timedelta) -> None:
    """Move what is counted from the past: the end of a wait for a length of time, and when the step was planned.

    A moment stays where it is, and so does an end that a person has named.
    """
    state.planned_at = (state.planned_at or state.since) + length
    state.held_until = state.held_until and state.held_until + length
    wait = node.planned_wait() if node is not None else None
    if wait is None or state.attention is not None or state.rescheduled:
        return
    state.due_at = (state.due_at or state.since + wait) + length
    state.shifted_by = (state.shifted_by or timedelta()) + length


def told_of_shift(state: EnrollmentState) -> str:
    """By how much pauses have moved the end of the running wait, in words; empty where they have not."""
    return f"its end moved by a pause of {describe_duration(state.shifted_by)}" if state.shifted_by else ""
