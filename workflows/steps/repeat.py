"""`repeat`: begin another round, unless there were enough or the condition holds."""

from journeys.steps.repeat import DONE, FULFILLED, RepeatNode
from workflows.passage import Passage
from workflows.ports import ContactPort, JudgeConditions
from workflows.state import Rounds
from workflows.transitions import Departure


async def repeat(passage: Passage, node: RepeatNode) -> Departure:
    """Result `fulfilled` or `done` when it is left for good; a round has none."""
    state, step = passage.state, passage.step
    rounds = state.rounds.get(step) or Rounds(since=state.since)
    if node.until is not None:
        request = JudgeConditions(
            **passage.common(),
            conditions=[passage.run.plan["nodes"][step]["until"]],
            entered_at=state.entered_at,
            results=state.results,
            step_since=rounds.since,
        )
        found = await passage.judge(ContactPort.judge_conditions, request)
        if found.index is not None:
            because = f"after {rounds.begun} rounds: {found.because}"
            return Departure(node.next, result=FULFILLED, because=because, cause_event_id=found.cause_event_id)
    if rounds.begun >= node.times:
        return Departure(node.next, result=DONE, because=f"{rounds.begun} rounds are done")
    state.rounds[step] = rounds.next()
    return Departure(node.body, because=f"round {rounds.begun + 1} of {node.times}")
