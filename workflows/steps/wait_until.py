"""`wait` for a moment: have it looked up, wait visibly, and look it up anew as soon as it may have moved."""

from datetime import datetime

from temporalio.exceptions import ApplicationError

from journeys.moments import Dated, DateMoment
from journeys.outcomes import StepVerdict
from journeys.plan import Plan
from journeys.steps.wait import DUE, LATE, MISSING, WaitUntilNode
from workflows.details import instant
from workflows.inbox import moves_of
from workflows.passage import Interrupted, Passage
from workflows.ports import CalendarPort, ResolvedInstant, ResolveInstant
from workflows.state import EnrollmentState, Resolution
from workflows.transitions import Departure


async def wait_until(passage: Passage, node: WaitUntilNode) -> Departure:
    """Result `due`; `late` where the moment had passed when it became known; `missing` where there is no date.

    A wait taken up again (resumed, continued as new, rescheduled) ends when it would have, unless the moment has moved.
    """
    state = passage.state
    if not _is_settled(state, node) and (departure := await _look_up(passage, node)):
        return departure
    assert state.due_at is not None
    if await passage.wait_until(state.due_at, until=lambda: not _is_settled(state, node)):
        raise Interrupted  # moved: what was noted of the old moment is written before the new one is looked up
    return Departure(node.next, result=DUE, because=_told(state, state.due_at, "it was time"))


def _is_settled(state: EnrollmentState, node: WaitUntilNode) -> bool:
    """Whether the end of the wait is known, and takes every move of the moment into account."""
    if state.due_at is None or state.resolution is None:
        return False
    return state.resolution.moved_by == _events(state, node)


def _events(state: EnrollmentState, node: WaitUntilNode) -> list[str]:
    return [met.event_id for met in moves_of(state, node).values()]


async def _look_up(passage: Passage, node: WaitUntilNode) -> Departure | None:
    """Settle when the wait ends; or leave at once, where the moment has passed or there is none."""
    state, events = passage.state, _events(passage.state, node)
    request = ResolveInstant(
        **passage.common(),
        moment=passage.run.plan["nodes"][passage.step]["moment"],
        reached_at=state.since,
        moved_by=_date_event(passage.plan, state, node),
        window=passage.run.plan.get("window"),
    )
    found = await passage.judge(CalendarPort.resolve_instant, request)
    state.zone = found.zone
    passage.noted(None)
    if found.at is None:
        return _without_date(node, found)
    state.resolution, state.rescheduled = Resolution(moved_by=events, because=found.because), ""
    if departure := _too_late(passage, node, found.at):
        return departure
    passage.noted(found.at)
    return None


def _date_event(plan: Plan, state: EnrollmentState, node: WaitUntilNode) -> str | None:
    """The event that gave the date of the entry anew."""
    moves = moves_of(state, node)
    return next((met.event_id for criterion, met in moves.items() if not plan.criteria[criterion].changed), None)


def _without_date(node: WaitUntilNode, found: ResolvedInstant) -> Departure:
    if isinstance(node.moment, DateMoment) and node.moment.missing == "skip":
        return Departure(node.otherwise, result=MISSING, because=found.because, verdict=StepVerdict.SKIPPED)
    raise ApplicationError(found.because, type="Invalid", non_retryable=True)


def _too_late(passage: Passage, node: WaitUntilNode, due: datetime) -> Departure | None:
    """How the step is left where its moment had passed when the step was reached, or when the moment became known."""
    state, moment = passage.state, node.moment
    known = min(max([state.since, *(met.at for met in moves_of(state, node).values())]), passage.now())
    if not isinstance(moment, Dated) or due >= known:
        return None
    because = _told(state, due, "it was too late: that was")
    if moment.late == "now":
        return Departure(node.next, result=LATE, because=because, planned_at=due)
    return Departure(node.otherwise, result=LATE, because=because, verdict=StepVerdict.SKIPPED)


def _told(state: EnrollmentState, due: datetime, words: str) -> str:
    said = state.resolution.because if state.resolution else ""
    return f"{words} {instant(due, state.zone, now=state.since)}" + (f". {said}" if said else "")
