"""`if`: go one of two ways, by a condition on the contact."""
# ruff: noqa: ARG002 -- `compile` has one signature for all kinds

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from journeys.conditions.registry import Condition
from journeys.places import Path
from journeys.steps.base import BaseNode, BaseStep, Compiler, Way

if TYPE_CHECKING:
    from journeys.steps.registry import Step


class IfNode(BaseNode):
    """Judge `condition` now; go on at `next` where it holds, at `otherwise` where it does not."""

    kind: Literal["if"]
    condition: Condition
    otherwise: str | None = None

    def ways(self) -> tuple[Way, ...]:
        return (
            Way("if so", self.next, result="yes", holds=self.condition),
            Way("otherwise", self.otherwise, result="no", fails=(self.condition,)),
        )

    def skipped_to(self) -> str | None:
        return self.otherwise


class IfStep(BaseStep):
    """Go one of two ways. Results: `yes` or `no`."""

    kind: ClassVar[str] = "if"
    results: ClassVar[tuple[str, ...]] = ("yes", "no")
    if_: Condition = Field(alias="if")
    then: tuple[Step, ...] = ()
    else_: tuple[Step, ...] = Field(default=(), alias="else")

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> IfNode:
        return IfNode(
            kind="if",
            condition=self.if_,
            next=compiler.steps(self.then, following),
            otherwise=compiler.steps(self.else_, following),
        )

    def nested(self) -> Mapping[Path, Sequence[Step]]:
        return {("then",): self.then, ("else",): self.else_}

    def asked(self) -> Mapping[Path, Condition]:
        return {("if",): self.if_}
