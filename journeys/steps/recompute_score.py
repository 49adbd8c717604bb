"""`recompute_score`: fold the contact's stored events again under the live version of a score model."""
# ruff: noqa: ARG002 -- `compile` has one signature for all kinds

from typing import ClassVar, Literal

from journeys.steps.base import BaseNode, BaseStep, Caused, Compiler
from journeys.values import Key

SCORE_CROSSED = "score.crossed"
"""The event that follows when a score rises over a threshold."""


class RecomputeScoreNode(BaseNode):
    """Compute the score of `model` again."""

    kind: Literal["recompute_score"]
    model: Key

    def causes(self) -> tuple[Caused, ...]:
        return (Caused(SCORE_CROSSED, {"model": self.model}),)


class RecomputeScoreStep(BaseStep):
    """Compute the contact's score again from its stored events under the live version of the model.

    Results: `changed` or `unchanged`.
    """

    kind: ClassVar[str] = "recompute_score"
    results: ClassVar[tuple[str, ...]] = ("changed", "unchanged")
    recompute_score: Key

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> RecomputeScoreNode:
        return RecomputeScoreNode(kind="recompute_score", model=self.recompute_score, next=following)
