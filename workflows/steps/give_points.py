"""`score`: give the contact points."""

from journeys.steps.give_points import ScoreNode
from workflows.passage import Passage
from workflows.ports import ContactPort, GivePoints
from workflows.transitions import Departure


async def give_points(passage: Passage, node: ScoreNode) -> Departure:
    """Result: the word the port says."""
    request = GivePoints(**passage.common(), model=node.model, points=node.add, reason=node.reason)
    done = await passage.act(ContactPort.give_points, request)
    return Departure(node.next, result=done.result, because=done.because)
