"""`split`: send contacts different ways, drawn by a hash, to find out which way is better."""
# ruff: noqa: ARG002 -- `compile` has one signature for all kinds

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from journeys.places import Path
from journeys.refusals import refused
from journeys.steps.base import BaseNode, BaseStep, Compiler, Way
from journeys.values import Key, Number, Strict, Whole

if TYPE_CHECKING:
    from journeys.steps.registry import Step

FEWEST = 30
"""Contacts per arm below which the test of a winner is not to be relied on."""


class Winner(Strict):
    """When an arm wins and gets all further contacts: see `journeys.proportions.winner_of`."""

    goal: Literal[True] = Field(default=True, description="The arms are compared by the journey's goal.")
    after: Whole = Field(ge=FEWEST, le=1_000_000, description="Contacts per arm that are compared.")
    confidence: Annotated[Number, Field(gt=0.5, lt=1)] = 0.95


class ArmWay(Strict):
    """One way of an experiment, and the share of contacts that go it."""

    name: str
    share: int
    next: str | None = None


class SplitNode(BaseNode):
    """Go on at the arm the contact is drawn into, or at the winner. `next` is behind all arms, for a skip."""

    kind: Literal["split"]
    experiment: Key
    arms: tuple[ArmWay, ...]
    winner: Winner | None = None

    def ways(self) -> tuple[Way, ...]:
        return tuple(Way(f"arm '{arm.name}' ({arm.share} %)", arm.next, result=arm.name) for arm in self.arms)

    def shares(self) -> dict[str, int]:
        """The share of each arm."""
        return {arm.name: arm.share for arm in self.arms}


class Arm(Strict):
    """A share of the contacts in percent, and the steps for them."""

    share: Whole = Field(ge=1, le=99)
    steps: tuple[Step, ...] = ()


class Experiment(Strict):
    """The arms of an experiment. Its key decides who is in which arm: another key draws anew."""

    experiment: Key
    arms: dict[Key, Arm] = Field(min_length=2)
    winner: Winner | None = None

    @model_validator(mode="after")
    def _whole(self) -> Experiment:
        together = sum(arm.share for arm in self.arms.values())
        if together != 100:  # noqa: PLR2004 -- percent
            raise refused(
                f"the shares of the arms make {together}, not 100.", "Write shares in percent of all contacts."
            )
        return self


class SplitStep(BaseStep):
    """Go the way of the arm the contact is drawn into: always the same for a contact. Results: the arm's name."""

    kind: ClassVar[str] = "split"
    results: ClassVar[tuple[str, ...]] = ()
    split: Experiment

    def words(self) -> tuple[str, ...]:
        return tuple(self.split.arms)

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> SplitNode:
        arms = [
            ArmWay(name=name, share=arm.share, next=compiler.steps(arm.steps, following))
            for name, arm in self.split.arms.items()
        ]
        return SplitNode(
            kind="split",
            experiment=self.split.experiment,
            arms=tuple(arms),
            winner=self.split.winner,
            next=following,
        )

    def nested(self) -> Mapping[Path, Sequence[Step]]:
        return {("split", "arms", name, "steps"): arm.steps for name, arm in self.split.arms.items()}
