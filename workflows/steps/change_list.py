"""`list`: have the contact join or leave a list."""

from journeys.steps.change_list import ListNode
from workflows.passage import Passage
from workflows.ports import ChangeList, ContactPort
from workflows.transitions import Departure


async def change_list(passage: Passage, node: ListNode) -> Departure:
    """Result: the word the port says."""
    request = ChangeList(**passage.common(), list_key=node.list_key, member=node.member)
    done = await passage.act(ContactPort.change_list, request)
    return Departure(node.next, result=done.result, because=done.because)
