"""`branch`: have the conditions judged in their order, and go the way of the first that holds."""

from journeys.steps.branch import ELSE, BranchNode
from workflows.passage import Passage
from workflows.ports import ContactPort, JudgeConditions
from workflows.transitions import Departure


async def branch(passage: Passage, node: BranchNode) -> Departure:
    """Result: the name of the branch, or `else`."""
    request = JudgeConditions(
        **passage.common(),
        conditions=[way["condition"] for way in passage.run.plan["nodes"][passage.step]["branches"]],
        entered_at=passage.state.entered_at,
        results=passage.state.results,
    )
    found = await passage.judge(ContactPort.judge_conditions, request)
    if found.index is None:
        return Departure(node.otherwise, result=ELSE, because=f"no branch holds: {found.because}")
    way = node.branches[found.index]
    because = f"branch '{way.name}': {found.because}"
    return Departure(way.next, result=way.name, because=because, cause_event_id=found.cause_event_id)
