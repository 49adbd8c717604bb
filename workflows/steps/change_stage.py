"""`stage`: move the contact to a lifecycle stage."""

from journeys.steps.change_stage import StageNode
from workflows.passage import Passage
from workflows.ports import ChangeStage, ContactPort
from workflows.transitions import Departure


async def change_stage(passage: Passage, node: StageNode) -> Departure:
    """Result: the word the port says."""
    request = ChangeStage(**passage.common(), to=node.to, recycle=node.recycle, reason=node.reason)
    done = await passage.act(ContactPort.change_stage, request)
    return Departure(node.next, result=done.result, because=done.because)
