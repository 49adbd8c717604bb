"""`branch`: go the first of several ways whose condition holds, or the one for everybody else."""
# ruff: noqa: ARG002 -- `compile` has one signature for all kinds

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from journeys.conditions.registry import Condition
from journeys.places import Path
from journeys.refusals import refused
from journeys.steps.base import BaseNode, BaseStep, Compiler, Way
from journeys.values import Key, Strict

if TYPE_CHECKING:
    from journeys.steps.registry import Step

ELSE = "else"


class BranchWay(Strict):
    """One way: taken where `condition` is the first that holds."""

    name: str
    condition: Condition
    next: str | None = None


class BranchNode(BaseNode):
    """Judge the conditions of `branches` in their order; go on at the first that holds, or else at `otherwise`."""

    kind: Literal["branch"]
    branches: tuple[BranchWay, ...]
    otherwise: str | None = None

    def ways(self) -> tuple[Way, ...]:
        conditions = tuple(way.condition for way in self.branches)
        ways = [
            Way(f"branch '{way.name}'", way.next, result=way.name, holds=way.condition, fails=conditions[:number])
            for number, way in enumerate(self.branches)
        ]
        return (*ways, Way("otherwise", self.otherwise, result=ELSE, fails=conditions))

    def skipped_to(self) -> str | None:
        return self.otherwise


class Branch(Strict):
    """A condition, and the steps for contacts of whom it is the first that holds."""

    name: Key | None = Field(default=None, description="The step's result where this branch is taken; else its number.")
    if_: Condition = Field(alias="if")
    then: tuple[Step, ...] = ()


class BranchStep(BaseStep):
    """Go the first way whose condition holds. Results: the branch's name, or its number from 1 on; or `else`."""

    kind: ClassVar[str] = "branch"
    results: ClassVar[tuple[str, ...]] = (ELSE,)
    branch: tuple[Branch, ...] = Field(min_length=1)
    else_: tuple[Step, ...] = Field(alias="else", description="Steps for everybody else; write [] for none.")

    @model_validator(mode="after")
    def _names_differ(self) -> BranchStep:
        names = self.names()
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise refused(f"two branches are called '{twice}'.", "Give one of them another name.")
        if ELSE in names:
            raise refused(f"a branch is called '{ELSE}', as the way of everybody else is.", "Give it another name.")
        return self

    def names(self) -> list[str]:
        """What the branches are called, in their order."""
        return [branch.name or str(number) for number, branch in enumerate(self.branch, start=1)]

    def words(self) -> tuple[str, ...]:
        return (*self.names(), ELSE)

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> BranchNode:
        ways = [
            BranchWay(name=name, condition=branch.if_, next=compiler.steps(branch.then, following))
            for name, branch in zip(self.names(), self.branch, strict=True)
        ]
        otherwise = compiler.steps(self.else_, following)
        return BranchNode(kind="branch", branches=tuple(ways), otherwise=otherwise)

    def nested(self) -> Mapping[Path, Sequence[Step]]:
        branches: dict[Path, Sequence[Step]] = {
            ("branch", number, "then"): branch.then for number, branch in enumerate(self.branch)
        }
        return {**branches, ("else",): self.else_}

    def asked(self) -> Mapping[Path, Condition]:
        return {("branch", number, "if"): branch.if_ for number, branch in enumerate(self.branch)}
