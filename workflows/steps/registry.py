"""Which coroutine executes which kind of node: one line each."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from workflows.passage import Passage
from workflows.steps.approve import approve
from workflows.steps.branch import branch
from workflows.steps.change_list import change_list
from workflows.steps.change_stage import change_stage
from workflows.steps.decide import decide
from workflows.steps.give_points import give_points
from workflows.steps.leave import leave_journey
from workflows.steps.recompute_score import recompute_score
from workflows.steps.repeat import repeat
from workflows.steps.send import send
from workflows.steps.set_attributes import set_attributes
from workflows.steps.split import split
from workflows.steps.start import start
from workflows.steps.task import create_task
from workflows.steps.wait import wait
from workflows.steps.wait_for import wait_for
from workflows.steps.wait_for_first import wait_for_first
from workflows.steps.wait_until import wait_until
from workflows.transitions import Departure

EXECUTE: Mapping[str, Callable[[Passage, Any], Awaitable[Departure]]] = {
    "wait": wait,
    "wait_until": wait_until,
    "wait_for": wait_for,
    "wait_for_first": wait_for_first,
    "if": decide,
    "branch": branch,
    "split": split,
    "repeat": repeat,
    "approve": approve,
    "send": send,
    "set": set_attributes,
    "list": change_list,
    "stage": change_stage,
    "task": create_task,
    "score": give_points,
    "recompute_score": recompute_score,
    "start": start,
    "exit": leave_journey,
}
"""Node kind → coroutine. It returns how the step was left; Interrupted means it was not left."""
