"""`wait`: let exact time pass, as a timer whose summary says until when."""

from journeys.steps.wait import WaitNode
from workflows.passage import Passage
from workflows.transitions import Departure


async def wait(passage: Passage, node: WaitNode) -> Departure:
    """Pass on when the time is over."""
    await passage.wait_until(passage.due(node.duration))
    return Departure(node.next, result=node.result, because="time passed")
