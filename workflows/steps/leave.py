"""`exit`: end the enrollment at this point of the journey."""

from journeys.outcomes import StepVerdict
from journeys.steps.leave import ExitNode
from workflows.inbox import EXIT
from workflows.passage import Passage
from workflows.transitions import Departure


async def leave_journey(passage: Passage, node: ExitNode) -> Departure:
    """Outcome `exited`, with the author's reason."""
    passage.state.commands.append(EXIT + node.reason)
    return Departure(None, because=node.reason, verdict=StepVerdict.EXITED)
