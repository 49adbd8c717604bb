"""`stage`: move the contact to a lifecycle stage, forward only unless a step back is asked for."""
# ruff: noqa: ARG002 -- `compile` has one signature for all kinds

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from journeys.refusals import refused, shown
from journeys.stages import STAGE_CHANGED, Stage, StageMove
from journeys.steps.base import BaseNode, BaseStep, Caused, Compiler
from journeys.values import Flag, Strict


class StageNode(BaseNode):
    """Move the contact to the stage `to`; a step back only with `recycle`."""

    kind: Literal["stage"]
    to: Stage
    recycle: bool = False
    reason: str = ""

    def causes(self) -> tuple[Caused, ...]:
        return (Caused(STAGE_CHANGED, {"to": self.to.value}),)


class StageChange(Strict):
    """The stage to move to. `recycle` allows a step back, which needs a reason; both are kept in the history."""

    to: Stage
    recycle: Flag = Field(default=False, description="Whether it may be a step back.")
    reason: str = Field(default="", max_length=500, description="Why, for the history of the contact.")

    @model_validator(mode="after")
    def _a_step_back_has_a_reason(self) -> "StageChange":
        if self.recycle and not self.reason.strip():
            raise refused("a step back needs a `reason`.", "Say in a sentence why contacts are moved back here.")
        return self


def _as_object(value: Any) -> Any:
    if isinstance(value, str) and value not in list(Stage):
        raise refused(f"{shown(value)} is no lifecycle stage.", f"Write one of {', '.join(Stage)}.")
    return {"to": value} if isinstance(value, str) else value


class StageStep(BaseStep):
    """Move the contact to a lifecycle stage: `stage: lead`, or `stage: {to: lead, recycle: true, reason: …}`.

    Results: `changed`, `unchanged` (there already), `kept` (it would have been a step back).
    """

    kind: ClassVar[str] = "stage"
    results: ClassVar[tuple[str, ...]] = tuple(StageMove)
    stage: Annotated[StageChange, BeforeValidator(_as_object, json_schema_input_type=Stage | StageChange)]

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> StageNode:
        return StageNode(
            kind="stage",
            to=self.stage.to,
            recycle=self.stage.recycle,
            reason=self.stage.reason,
            next=following,
        )
