"""`exit`: leave the journey at this point."""
# ruff: noqa: ARG002 -- `compile` has one signature for all kinds

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from journeys.steps.base import BaseNode, BaseStep, Compiler

Reason = Annotated[str, Field(min_length=1, max_length=200)]


class ExitNode(BaseNode):
    """End the enrollment with outcome `exited` and this reason."""

    kind: Literal["exit"]
    reason: Reason


class ExitStep(BaseStep):
    """Leave the journey here, with a reason that ops and reports show."""

    kind: ClassVar[str] = "exit"
    exit: Reason

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> ExitNode:
        return ExitNode(kind="exit", reason=self.exit)
