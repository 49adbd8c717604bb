"""`approve`: let a person decide how it goes on, a stated time at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from journeys.duration import Duration
from journeys.places import Path
from journeys.steps.base import BaseNode, BaseStep, Compiler, Way
from journeys.values import Strict

if TYPE_CHECKING:
    from journeys.steps.registry import Step

APPROVED, REJECTED, TIMED_OUT = "approved", "rejected", "timed_out"
OWNER = "owner"


class ApproveNode(BaseNode):
    """Wait for an answer, `up_to` at most; go on at `next` (approved), `rejected` or `timed_out`."""

    kind: Literal["approve"]
    by: str
    question: str = ""
    up_to: Duration
    rejected: str | None = None
    timed_out: str | None = None

    def ways(self) -> tuple[Way, ...]:
        return (
            Way("if approved", self.next, result=APPROVED, most=self.up_to),
            Way("if rejected", self.rejected, result=REJECTED, most=self.up_to),
            Way("without an answer", self.timed_out, result=TIMED_OUT, least=self.up_to, most=self.up_to),
        )

    def skipped_to(self) -> str | None:
        return self.timed_out

    def planned_wait(self) -> timedelta:
        return self.up_to


class Approval(Strict):
    """Who is asked, what, and how long. It is told to people; whoever may operate enrollments may answer."""

    by: Annotated[str, Field(min_length=1, max_length=100, description="A team or role; `owner`: the journey's owner.")]
    question: str = Field(default="", max_length=500, description="What is to be decided, in a sentence.")
    up_to: Duration


class ApproveStep(BaseStep):
    """Have a person decide. Results: `approved` (then: `then`), `rejected` and `timed_out` (then: `else`)."""

    kind: ClassVar[str] = "approve"
    results: ClassVar[tuple[str, ...]] = (APPROVED, REJECTED, TIMED_OUT)
    approve: Approval
    then: tuple[Step, ...] = ()
    rejected: tuple[Step, ...] = ()
    else_: tuple[Step, ...] = Field(default=(), alias="else")

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> ApproveNode:  # noqa: ARG002
        return ApproveNode(
            kind="approve",
            by=self.approve.by,
            question=self.approve.question,
            up_to=self.approve.up_to,
            next=compiler.steps(self.then, following),
            rejected=compiler.steps(self.rejected, following),
            timed_out=compiler.steps(self.else_, following),
        )

    def nested(self) -> Mapping[Path, Sequence[Step]]:
        return {("then",): self.then, ("rejected",): self.rejected, ("else",): self.else_}

    def durations(self) -> Mapping[Path, timedelta]:
        return {("approve", "up_to"): self.approve.up_to}
