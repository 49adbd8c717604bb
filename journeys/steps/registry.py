"""The step kinds: one line each in the two unions. Authors write `Step`s, the workflow runs `Node`s."""

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from journeys.steps.approve import ApproveNode, ApproveStep
from journeys.steps.base import BaseStep
from journeys.steps.branch import Branch, BranchNode, BranchStep
from journeys.steps.change_list import ListNode, ListStep
from journeys.steps.change_stage import StageNode, StageStep
from journeys.steps.decide import IfNode, IfStep
from journeys.steps.give_points import ScoreNode, ScoreStep
from journeys.steps.leave import ExitNode, ExitStep
from journeys.steps.recompute_score import RecomputeScoreNode, RecomputeScoreStep
from journeys.steps.repeat import RepeatNode, RepeatStep, Rounds
from journeys.steps.send import SendNode, SendStep
from journeys.steps.set_attributes import SetNode, SetStep
from journeys.steps.split import Arm, Experiment, SplitNode, SplitStep
from journeys.steps.start import StartNode, StartStep
from journeys.steps.task import TaskNode, TaskStep
from journeys.steps.wait import WaitNode, WaitStep, WaitUntilNode
from journeys.steps.wait_for import AwaitedFirst, WaitForNode, WaitForStep
from journeys.steps.wait_for_first import ConditionAlternative, EventAlternative, WaitForFirstNode

STEP_CLASSES: tuple[type[BaseStep], ...] = (
    WaitStep,
    WaitForStep,
    IfStep,
    BranchStep,
    SplitStep,
    RepeatStep,
    ApproveStep,
    SendStep,
    SetStep,
    ListStep,
    StageStep,
    TaskStep,
    ScoreStep,
    RecomputeScoreStep,
    StartStep,
    ExitStep,
)
STEP_KINDS = tuple(step.kind for step in STEP_CLASSES)


def step_kind(value: Any) -> str | None:
    """The kind of a step, recognised by the key that only it has; None where no kind's key is present."""
    if isinstance(value, BaseStep):
        return value.kind
    return next((kind for kind in STEP_KINDS if kind in value), None) if isinstance(value, dict) else None


Step = Annotated[
    Annotated[WaitStep, Tag("wait")]
    | Annotated[WaitForStep, Tag("wait_for")]
    | Annotated[IfStep, Tag("if")]
    | Annotated[BranchStep, Tag("branch")]
    | Annotated[SplitStep, Tag("split")]
    | Annotated[RepeatStep, Tag("repeat")]
    | Annotated[ApproveStep, Tag("approve")]
    | Annotated[SendStep, Tag("send")]
    | Annotated[SetStep, Tag("set")]
    | Annotated[ListStep, Tag("list")]
    | Annotated[StageStep, Tag("stage")]
    | Annotated[TaskStep, Tag("task")]
    | Annotated[ScoreStep, Tag("score")]
    | Annotated[RecomputeScoreStep, Tag("recompute_score")]
    | Annotated[StartStep, Tag("start")]
    | Annotated[ExitStep, Tag("exit")],
    Discriminator(
        step_kind,
        custom_error_type="step_kind",
        custom_error_message=f"not a step: give it one of the keys {', '.join(STEP_KINDS)}",
    ),
]
"""One step of a journey, as written."""

Node = Annotated[
    WaitNode
    | WaitUntilNode
    | WaitForNode
    | WaitForFirstNode
    | IfNode
    | BranchNode
    | SplitNode
    | RepeatNode
    | ApproveNode
    | SendNode
    | SetNode
    | ListNode
    | StageNode
    | TaskNode
    | ScoreNode
    | RecomputeScoreNode
    | StartNode
    | ExitNode,
    Field(discriminator="kind"),
]
"""One instruction of a plan."""

for _nesting in (
    WaitStep,
    EventAlternative,
    ConditionAlternative,
    AwaitedFirst,
    WaitForStep,
    IfStep,
    Branch,
    BranchStep,
    Rounds,
    RepeatStep,
    Arm,
    Experiment,
    SplitStep,
    ApproveStep,
):
    _nesting.model_rebuild(_types_namespace={"Step": Step})
