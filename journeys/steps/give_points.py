"""`score`: give the contact points under a points model, or take some away, with a reason."""
# ruff: noqa: ARG002 -- `compile` has one signature for all kinds

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from journeys.refusals import refused
from journeys.scoring import MOST_POINTS, SCORE_GIVEN
from journeys.steps.base import BaseNode, BaseStep, Caused, Compiler
from journeys.steps.recompute_score import SCORE_CROSSED
from journeys.values import Key, Strict, Whole

GIVEN = "given"


class ScoreNode(BaseNode):
    """Give `add` points (negative: take away) under `model`."""

    kind: Literal["score"]
    model: Key
    add: int
    reason: str

    def causes(self) -> tuple[Caused, ...]:
        return (Caused(SCORE_GIVEN, {"model": self.model}), Caused(SCORE_CROSSED, {"model": self.model}))


class GivenPoints(Strict):
    """How many points under which model, and why. They stay whatever becomes of the model's rules."""

    model: Key
    add: Whole = Field(ge=-MOST_POINTS, le=MOST_POINTS, description="Points; negative ones take away.")
    reason: Annotated[str, Field(min_length=1, max_length=200, description="Why, shown beside the points.")]

    @model_validator(mode="after")
    def _gives_some(self) -> "GivenPoints":
        if self.add == 0:
            raise refused("0 points change nothing.", "Give points, or remove the step.")
        return self


class ScoreStep(BaseStep):
    """Give the contact points, once for each time the step is reached. Result: `given`."""

    kind: ClassVar[str] = "score"
    results: ClassVar[tuple[str, ...]] = (GIVEN,)
    score: GivenPoints

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> ScoreNode:
        return ScoreNode(
            kind="score", model=self.score.model, add=self.score.add, reason=self.score.reason, next=following
        )
