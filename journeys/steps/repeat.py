"""`repeat`: go through some steps several times, a stated number at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from journeys.conditions.registry import Condition
from journeys.places import Path
from journeys.steps.base import BaseNode, BaseStep, Compiler, Way
from journeys.values import Strict, Whole

if TYPE_CHECKING:
    from journeys.steps.registry import Step

DONE, FULFILLED = "done", "fulfilled"
MOST_ROUNDS = 100


class RepeatNode(BaseNode):
    """Begin a round at `body`, whose end leads back here; `times` rounds at most. Go on at `next` after the last.

    `until` is judged before each round and after the last one: where it holds, there is no further round.
    """

    kind: Literal["repeat"]
    times: int
    body: str
    until: Condition | None = None

    def ways(self) -> tuple[Way, ...]:
        unfulfilled = () if self.until is None else (self.until,)
        again = Way("another round", self.body, fails=unfulfilled, at_most=self.times)
        done = Way(f"after {self.times} rounds", self.next, result=DONE, fails=unfulfilled, exhausted=True)
        if self.until is None:
            return (again, done)
        return (again, Way("no need any more", self.next, result=FULFILLED, holds=self.until), done)


class Rounds(Strict):
    """What is repeated, how often at most, and the condition that makes a further round needless."""

    times: Whole = Field(ge=1, le=MOST_ROUNDS)
    steps: tuple[Step, ...] = Field(min_length=1)
    until: Condition | None = None


class RepeatStep(BaseStep):
    """Go through the steps `times` times, or until the condition holds. Results: `fulfilled`, else `done`."""

    kind: ClassVar[str] = "repeat"
    results: ClassVar[tuple[str, ...]] = (DONE, FULFILLED)
    repeat: Rounds

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> RepeatNode:
        body = compiler.steps(self.repeat.steps, step_id)
        assert body is not None  # there is at least one step
        return RepeatNode(kind="repeat", times=self.repeat.times, body=body, until=self.repeat.until, next=following)

    def words(self) -> tuple[str, ...]:
        return self.results if self.repeat.until is not None else (DONE,)

    def nested(self) -> Mapping[Path, Sequence[Step]]:
        return {("repeat", "steps"): self.repeat.steps}

    def may_pass_by(self) -> bool:
        return True

    def loops(self) -> bool:
        return True

    def asked(self) -> Mapping[Path, Condition]:
        return {("repeat", "until"): self.repeat.until} if self.repeat.until is not None else {}
