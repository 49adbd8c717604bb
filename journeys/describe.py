"""Nodes, conditions and durations in plain words, for people who know the journey and not the code.

Shown in the Temporal UI: what the author wrote, nothing of the contact.
"""

from collections.abc import Callable
from typing import Any

from journeys.best_time import BestTimeMoment
from journeys.conditions.registry import Condition
from journeys.duration import describe_duration
from journeys.moments import CalendarMoment, WindowMoment
from journeys.steps.approve import ApproveNode
from journeys.steps.branch import BranchNode
from journeys.steps.change_list import ListNode
from journeys.steps.change_stage import StageNode
from journeys.steps.decide import IfNode
from journeys.steps.give_points import ScoreNode
from journeys.steps.leave import ExitNode
from journeys.steps.recompute_score import RecomputeScoreNode
from journeys.steps.registry import Node
from journeys.steps.repeat import RepeatNode
from journeys.steps.send import SendNode
from journeys.steps.set_attributes import SetNode
from journeys.steps.split import SplitNode
from journeys.steps.start import StartNode
from journeys.steps.task import TaskNode
from journeys.steps.wait import WaitNode, WaitUntilNode
from journeys.steps.wait_for import WaitForNode
from journeys.steps.wait_for_first import WaitForFirstNode

LONGEST = 160
"""Characters of a description; a summary in the Temporal UI may be 200 bytes long."""


def describe_node(node: Node) -> str:
    """What a node does: "wait 1 day", "send 'voucher' by email", "check: no review.created since entry"."""
    return shortened(_TELLERS[type(node)](node))


def describe_condition(condition: Condition) -> str:
    """What a condition asks, in one line of bounded length."""
    return shortened(condition.describe())


def shortened(text: str) -> str:
    """The text, cut where it is longer than `LONGEST`."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _wait(node: WaitNode) -> str:
    return f"wait {describe_duration(node.duration)}"


def _wait_until(node: WaitUntilNode) -> str:
    if isinstance(node.moment, WindowMoment):
        return "wait for the send window"
    if isinstance(node.moment, BestTimeMoment):
        return f"wait for {node.moment}"
    return f"wait {node.moment}" if isinstance(node.moment, CalendarMoment) else f"wait until {node.moment}"


def _wait_for(node: WaitForNode) -> str:
    return f"wait for {node.event}, at most {describe_duration(node.up_to)}"


def _wait_for_first(node: WaitForFirstNode) -> str:
    awaited = "; ".join(way.describe() for way in node.awaited)
    several = "the best of: " if node.ranked else "the first of: " if len(node.awaited) > 1 else ""
    return f"wait {describe_duration(node.up_to)}{'' if node.ranked else ' at most'} for {several}{awaited}"


def _check(node: IfNode) -> str:
    return f"check: {node.condition.describe()}"


def _choose(node: BranchNode) -> str:
    return "choose: " + "; ".join(f"'{way.name}' if {way.condition.describe()}" for way in node.branches)


def _approve(node: ApproveNode) -> str:
    question = f": {node.question}" if node.question else ""
    return f"approval by {node.by}, at most {describe_duration(node.up_to)}{question}"


def _split(node: SplitNode) -> str:
    arms = ", ".join(f"'{arm.name}' {arm.share} %" for arm in node.arms)
    return f"experiment '{node.experiment}': {arms}"


def _repeat(node: RepeatNode) -> str:
    words = f"repeat {node.times} times"
    return words if node.until is None else f"{words} at most, until {node.until.describe()}"


def _send(node: SendNode) -> str:
    return f"send '{node.template}' by {node.channel}"


def _set(node: SetNode) -> str:
    # Names only: a value may be long, and it is the names that ops look for.
    return f"set {', '.join(node.attributes)}"


def _list(node: ListNode) -> str:
    return f"{'add to' if node.member else 'remove from'} the list '{node.list_key}'"


def _stage(node: StageNode) -> str:
    return f"{'move' if node.recycle else 'promote'} to the stage '{node.to}'"


def _task(node: TaskNode) -> str:
    return f"task for {node.owner}: {node.title}"


def _score(node: ScoreNode) -> str:
    return f"{node.add:+} points under '{node.model}': {node.reason}"


def _recompute_score(node: RecomputeScoreNode) -> str:
    return f"recompute the score '{node.model}'"


def _start(node: StartNode) -> str:
    return f"start the journey '{node.journey}'"


def _exit(node: ExitNode) -> str:
    return f"exit: {node.reason}"


_TELLERS: dict[type, Callable[[Any], str]] = {
    WaitNode: _wait,
    WaitUntilNode: _wait_until,
    WaitForNode: _wait_for,
    WaitForFirstNode: _wait_for_first,
    IfNode: _check,
    BranchNode: _choose,
    ApproveNode: _approve,
    SplitNode: _split,
    RepeatNode: _repeat,
    SendNode: _send,
    SetNode: _set,
    ListNode: _list,
    StageNode: _stage,
    TaskNode: _task,
    ScoreNode: _score,
    RecomputeScoreNode: _recompute_score,
    StartNode: _start,
    ExitNode: _exit,
}

__all__ = ["LONGEST", "describe_condition", "describe_duration", "describe_node", "shortened"]
