"""`start`: have the contact enter another journey."""

from journeys.outcomes import StepVerdict
from journeys.steps.start import StartNode
from workflows.passage import Passage
from workflows.ports import JourneyPort, StartJourney
from workflows.transitions import Departure

REFUSED = "refused"


async def start(passage: Passage, node: StartNode) -> Departure:
    """Result: the word the port says."""
    request = StartJourney(
        **passage.common(), journey=node.journey, entry_key=node.entry_key, properties=node.properties
    )
    done = await passage.act(JourneyPort.start_journey, request)
    verdict = StepVerdict.REFUSED if done.result == REFUSED else StepVerdict.PASSED
    return Departure(node.next, result=done.result, because=done.because, verdict=verdict)
