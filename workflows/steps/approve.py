"""`approve`: wait for a person's answer, which comes by the update `decide`."""

from journeys.duration import write_duration
from journeys.steps.approve import APPROVED, TIMED_OUT, ApproveNode
from workflows.inbox import given_answer
from workflows.passage import Passage
from workflows.transitions import Departure


async def approve(passage: Passage, node: ApproveNode) -> Departure:
    """Result `approved`, `rejected` or `timed_out`; the decision names who answered, and why."""
    state = passage.state
    await passage.wait_until(passage.due(node.up_to), until=lambda: given_answer(state) is not None)
    given = given_answer(state)
    if given is None:
        because = f"no answer within {write_duration(node.up_to)}"
        return Departure(node.timed_out, result=TIMED_OUT, because=because)
    target = node.next if given.answer == APPROVED else node.rejected
    return Departure(target, result=given.answer, because=f"{given.answer} by {given.said}")
