"""`wait_for` of a condition or of several things: look, wait until something changes, and look again."""

from collections.abc import Sequence

from journeys.conditions.base import earliest
from journeys.conditions.first import FirstHolding
from journeys.duration import write_duration
from journeys.steps.wait_for_first import AwaitedWay, WaitForFirstNode
from workflows.inbox import first_come, looks_of
from workflows.passage import Interrupted, Passage
from workflows.ports import ContactPort, JudgeConditions
from workflows.state import Met
from workflows.transitions import Departure


async def wait_for_first(passage: Passage, node: WaitForFirstNode) -> Departure:
    """Result: the name of what came; `timed_out` where nothing did. An event that has come goes before a condition."""
    if node.ranked:
        await passage.wait_until(passage.due(node.up_to))
        return await _best(passage, node)
    state = passage.state
    seen, now = looks_of(state, node), passage.now()
    if come := first_come(state, node):
        return _arrived(passage, *come)
    found = await _first_holding(passage, node.awaited)
    if found is not None and found.index is not None:
        return _holds(node.awaited, found)
    changed = await passage.wait_until(
        passage.due(node.up_to),
        until=lambda: first_come(state, node) is not None or looks_of(state, node) != seen,
        # What a clock that runs ahead has reported counts as soon as its time has come.
        look_at=earliest([found.again_at if found else None, *(met.at for met in seen if met.at > now)]),
    )
    if changed:
        raise Interrupted  # taken up anew: what was noted of the wait is written before it is looked again
    return _timed_out(node)


async def _best(passage: Passage, node: WaitForFirstNode) -> Departure:
    """The first of the list that has come or holds, now that the time is over."""
    come = first_come(passage.state, node)
    better = node.awaited[: node.awaited.index(come[0])] if come else node.awaited
    found = await _first_holding(passage, better)
    if found is not None and found.index is not None:
        return _holds(better, found)
    return _arrived(passage, *come) if come else _timed_out(node)


async def _first_holding(passage: Passage, ways: Sequence[AwaitedWay]) -> FirstHolding | None:
    """Which of the conditions among the ways holds; None where there are none to ask."""
    names = {way.name for way in ways if way.condition is not None}
    if not names:
        return None
    written = passage.run.plan["nodes"][passage.step]["awaited"]
    request = JudgeConditions(
        **passage.common(),
        conditions=[way["condition"] for way in written if way["name"] in names],
        entered_at=passage.state.entered_at,
        results=passage.state.results,
    )
    return await passage.judge(ContactPort.judge_conditions, request)


def _arrived(passage: Passage, way: AwaitedWay, met: Met) -> Departure:
    return Departure(
        way.next,
        result=way.name,
        because=f"{way.event} came",
        cause_event_id=met.event_id,
        planned_at=passage.planned(met.at),
    )


def _holds(ways: Sequence[AwaitedWay], found: FirstHolding) -> Departure:
    assert found.index is not None
    way = [way for way in ways if way.condition is not None][found.index]
    return Departure(way.next, result=way.name, because=found.because, cause_event_id=found.cause_event_id)


def _timed_out(node: WaitForFirstNode) -> Departure:
    because = f"nothing of it within {write_duration(node.up_to)}"
    return Departure(node.timed_out, result="timed_out", because=because)
