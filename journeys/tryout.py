"""The plan of a test run: what a draft would do, marked as a test, with shorter waits and chosen arms. Pure.

The plan is all that differs, so the workflow runs a test like anything else.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from journeys.plan import Plan, Role
from journeys.steps.approve import ApproveNode
from journeys.steps.registry import Node
from journeys.steps.split import SplitNode
from journeys.steps.wait import DUE, WaitNode, WaitUntilNode
from journeys.steps.wait_for import WaitForNode
from journeys.steps.wait_for_first import WaitForFirstNode
from kit.errors import Invalid, Problem

MARK = "[Test]"
"""What stands before the journey's name and the subject of every message."""


def plan_of_test(plan: Plan, *, waits: timedelta | None = None, arms: Mapping[str, str] = MappingProxyType({})) -> Plan:
    """The plan for a test user.

    Args:
        plan: of the draft.
        waits: each wait lasts at most so long, and send windows are always open; None: as the author wrote.
        arms: experiment → arm to go. Without one the arm is drawn; a winner is neither followed nor sought.

    Raises:
        Invalid: an experiment or an arm is named that the plan does not have.
    """
    _demand_arms(plan, arms)
    nodes = {step: _shortened(_chosen(node, arms), waits) for step, node in plan.nodes.items()}
    criteria = {
        name: one for name, one in plan.criteria.items() if one.role is not Role.MOVED or _moves(nodes, one.step)
    }
    window = plan.window if waits is None else None
    changed = {"name": marked(plan.name), "nodes": nodes, "criteria": criteria, "window": window}
    return plan.model_copy(update=changed)


def _moves(nodes: Mapping[str, Node], step: str | None) -> bool:
    """Whether the step still waits for a moment that may move."""
    return step is not None and isinstance(nodes[step], WaitUntilNode)


def _shortened(node: Node, waits: timedelta | None) -> Node:
    """The node, waiting at most so long. A moment is taken to have come by then, in time."""
    if waits is None:
        return node
    match node:
        case WaitUntilNode():
            return WaitNode(kind="wait", duration=waits, result=DUE, next=node.next, expires_after=node.expires_after)
        case WaitNode():
            return node.model_copy(update={"duration": min(node.duration, waits)})
        case WaitForNode() | WaitForFirstNode() | ApproveNode():
            return node.model_copy(update={"up_to": min(node.up_to, waits)})
        case _:
            return node


def _chosen(node: Node, arms: Mapping[str, str]) -> Node:
    """A split without its winner, and with nothing but the arm that was chosen."""
    if not isinstance(node, SplitNode):
        return node
    ways = node.arms
    if (chosen := arms.get(node.experiment)) is not None:
        ways = tuple(arm.model_copy(update={"share": 100}) for arm in ways if arm.name == chosen)
    return node.model_copy(update={"arms": ways, "winner": None})


def _demand_arms(plan: Plan, arms: Mapping[str, str]) -> None:
    splits = [node for node in plan.nodes.values() if isinstance(node, SplitNode)]
    problems = []
    for experiment, arm in arms.items():
        own = [split for split in splits if split.experiment == experiment]
        if not own:
            problems.append(_no_experiment(experiment, splits))
        elif lacking := next((split for split in own if arm not in split.shares()), None):
            remedy = f"Its arms are {', '.join(lacking.shares())}."
            problems.append(Problem(f"/arms/{experiment}", f"'{experiment}' has no arm '{arm}'.", remedy))
    if problems:
        raise Invalid("The draft does not have the arms to go.", problems=problems)


def _no_experiment(experiment: str, splits: list[SplitNode]) -> Problem:
    known = sorted({split.experiment for split in splits})
    remedy = f"It has {', '.join(known)}." if known else "It has none: leave `arms` out."
    return Problem(f"/arms/{experiment}", f"The draft has no experiment '{experiment}'.", remedy)


def marked(text: str) -> str:
    """A subject or title that says it is of a test."""
    return f"{MARK} {text}"
