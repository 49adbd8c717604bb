"""Nodes in plain words, for people who know the journey and not the code."""

from journeys.duration import write_duration
from journeys.steps.change_list import ListNode
from journeys.steps.decide import IfNode
from journeys.steps.leave import ExitNode
from journeys.steps.recompute_score import RecomputeScoreNode
from journeys.steps.registry import Node
from journeys.steps.send import SendNode
from journeys.steps.set_attributes import SetNode
from journeys.steps.wait import WaitNode
from journeys.steps.wait_for import WaitForNode


def describe_node(node: Node) -> str:
    """What a node does, such as "wait 1d" or "send 'voucher' by email"."""
    match node:
        case WaitNode():
            return f"wait {write_duration(node.duration)}"
        case WaitForNode():
            return f"wait for {node.event}, at most {write_duration(node.up_to)}"
        case SendNode():
            return f"send '{node.template}' by {node.channel}"
        case IfNode():
            return "judge a condition"
        case SetNode():
            return f"set {', '.join(node.attributes)}"
        case ListNode():
            return f"{'join' if node.member else 'leave'} the list '{node.list_key}'"
        case RecomputeScoreNode():
            return f"recompute the score '{node.model}'"
        case ExitNode():
            return f"exit: {node.reason}"
