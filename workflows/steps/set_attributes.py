"""`set`: have attributes of the contact written."""

from journeys.steps.set_attributes import SetNode
from workflows.passage import Passage
from workflows.ports import ContactPort, SetAttributes
from workflows.transitions import Departure


async def set_attributes(passage: Passage, node: SetNode) -> Departure:
    """Result: the word the port says."""
    request = SetAttributes(**passage.common(), attributes=node.attributes)
    done = await passage.act(ContactPort.set_attributes, request)
    return Departure(node.next, result=done.result, because=done.because)
