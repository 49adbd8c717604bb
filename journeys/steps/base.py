"""What every step kind has: the author's form (a step) and the compiled form (a node), and how one becomes the other.

A kind is one file here (step, node, compile), one line in `journeys.steps.registry`, one coroutine in
`workflows.steps`, and one page in `docs/journeys/`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from pydantic import Field

from journeys.values import EventCriterion, Key, Strict

if TYPE_CHECKING:
    from journeys.steps.registry import Node, Step


class BaseNode(Strict):
    """A compiled step: an instruction of the flat plan. `next` is the node that follows; None ends the journey."""

    next: str | None = None


class Compiler(Protocol):
    """What a step needs of the compiler to become a node."""

    def steps(self, steps: Sequence[Step], following: str | None) -> str | None:
        """Compile a nested sequence; returns the id of its first node, or `following` where it is empty."""

    def criterion(self, step_id: str, criterion: EventCriterion, *, since_step: bool) -> str:
        """Register an event that intake matches for this step; returns the criterion's id."""


class BaseStep(Strict):
    """What every step has. `id` may be left out; then it is derived from kind and position, such as `wait-2`."""

    kind: ClassVar[str]
    results: ClassVar[tuple[str, ...]] = ()
    """The words the step may end with, for `result` conditions."""
    id: Key | None = Field(default=None, description="Name of the step in results, reports and migrations.")

    @abstractmethod
    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> Node:
        """The node this step becomes; `following` is the node after it."""

    def nested(self) -> dict[str, Sequence[Step]]:
        """The sequences of steps inside this one, by the key they are written under."""
        return {}
