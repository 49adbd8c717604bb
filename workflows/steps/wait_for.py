"""`wait_for`: wait for an event of the contact, a stated time at most."""

from journeys.duration import write_duration
from journeys.steps.wait_for import WaitForNode
from workflows.inbox import awaited
from workflows.passage import Passage
from workflows.transitions import Departure


async def wait_for(passage: Passage, node: WaitForNode) -> Departure:
    """Result `arrived` (go on at `next`) or `timed_out`. An event that is here when the time is over counts."""
    await passage.wait_until(passage.due(node.up_to), until=lambda: awaited(passage.state, node) is not None)
    if met := awaited(passage.state, node):
        return Departure(
            node.next,
            result="arrived",
            because=f"{node.event} came",
            cause_event_id=met.event_id,
            planned_at=passage.planned(met.at),
        )
    because = f"no {node.event} within {write_duration(node.up_to)}"
    return Departure(node.timed_out, result="timed_out", because=because)
