"""`recompute_score`: have the contact's score computed again."""

from journeys.steps.recompute_score import RecomputeScoreNode
from workflows.passage import Passage
from workflows.ports import ContactPort, RecomputeScore
from workflows.transitions import Departure


async def recompute_score(passage: Passage, node: RecomputeScoreNode) -> Departure:
    """Result: the word the port says."""
    request = RecomputeScore(**passage.common(), model=node.model)
    done = await passage.act(ContactPort.recompute_score, request)
    return Departure(node.next, result=done.result, because=done.because)
