"""What every step kind has: the author's form (a step) and the compiled form (a node), and how one becomes the other.

A kind is one file here (step, node, compile), one line in `journeys.steps.registry`, one coroutine in
`workflows.steps`, and one page in `docs/journeys/`. Checks, diagrams and the interpreter ask steps and nodes by the
methods here, so that none of them has to know the kinds.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from pydantic import Field

from journeys.duration import Duration
from journeys.places import Path
from journeys.values import EventCriterion, Key, Strict, Where

if TYPE_CHECKING:
    from journeys.conditions.registry import Condition
    from journeys.steps.registry import Node, Step


class Way(NamedTuple):
    """A way out of a node: when it is taken, where it leads, and what is known beforehand of whoever takes it."""

    when: str
    """In words; empty: always."""
    to: str | None
    """The node it leads to; None: the end."""
    result: str = ""
    """The word the step ends with on this way; empty where the way does not tell."""
    holds: Condition | None = None
    """What has been judged to hold."""
    fails: tuple[Condition, ...] = ()
    """What has been judged not to hold."""
    met: str = ""
    """The criterion of the plan that an event has met."""
    least: timedelta = timedelta()
    """How long the node keeps a contact that takes this way, at least …"""
    most: timedelta | None = timedelta()
    """… and at most; None where that is not known beforehand."""
    at_most: int | None = None
    """How often it can be taken until another way of the node is taken; None: as often as the node is reached."""
    exhausted: bool = False
    """Only taken once the node's ways that can be taken so many times have been taken as often."""


class Caused(NamedTuple):
    """An event of the contact that a node may bring about, with those of its properties that are known beforehand."""

    event: str
    properties: Mapping[str, Any] = MappingProxyType({})


class BaseNode(Strict):
    """A compiled step: an instruction of the flat plan. `next` is the node that follows; None ends the journey."""

    passes_with_time: ClassVar[bool] = False
    """Whether it reaches the contact, so that it may be dropped where its time has passed during a pause."""
    next: str | None = None
    expires_after: Duration | None = None

    def ways(self) -> tuple[Way, ...]:
        """Every way out of the node, the usual one first."""
        wait = self.planned_wait() or timedelta()
        return (Way("", self.next, least=wait, most=wait),)

    def causes(self) -> tuple[Caused, ...]:
        """The events of the contact that the node may bring about by itself."""
        return ()

    def skipped_to(self) -> str | None:
        """Where the journey goes on when the node is skipped."""
        return self.next

    def planned_wait(self) -> timedelta | None:
        """How long the node waits by plan, where that is known before anything is looked up; None otherwise."""
        return None

    def latest_counts(self, criterion: str) -> bool:  # noqa: ARG002 -- kinds that wait for events ask by it
        """Whether a later event that meets this criterion of the node replaces an earlier one."""
        return False


class Compiler(Protocol):
    """What a step needs of the compiler to become a node."""

    def steps(self, steps: Sequence[Step], following: str | None) -> str | None:
        """Compile a nested sequence; returns the id of its first node, or `following` where it is empty."""

    def criterion(self, step_id: str, criterion: EventCriterion, *, since_step: bool, part: str = "") -> str:
        """Register an event that intake matches for this step, or a named part of it; returns the criterion's id."""

    def looks(self, step_id: str, conditions: Sequence[Condition]) -> tuple[str, ...]:
        """Register the events that may change what the conditions say; returns the criteria's ids."""

    def moved(self, step_id: str, criterion: EventCriterion) -> str:
        """Register an event that moves the moment this step waits for; returns the criterion's id."""

    def moved_by_contact(self, step_id: str, changed: tuple[str, ...]) -> str:
        """Register a change of one of these attributes, which moves the moment; returns the criterion's id."""


class BaseStep(Strict):
    """What every step has. `id` may be left out; then it is derived from kind and position, such as `wait-2`."""

    kind: ClassVar[str]
    results: ClassVar[tuple[str, ...]] = ()
    """The words a step of this kind may end with, for `result` conditions."""
    id: Key | None = Field(default=None, description="Name of the step in results, reports and migrations.")
    expires_after: Duration | None = Field(
        default=None, description="Left out where it is reached later than this after its time."
    )

    @abstractmethod
    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> Node:
        """The node this step becomes; `following` is the node after it."""

    def words(self) -> tuple[str, ...]:
        """The words this very step may end with."""
        return self.results

    def nested(self) -> Mapping[Path, Sequence[Step]]:
        """The sequences of steps inside this one, by where they are written below it. Every way leads into one."""
        return {}

    def may_pass_by(self) -> bool:
        """Whether a way leads past all nested sequences."""
        return False

    def loops(self) -> bool:
        """Whether the nested sequences lead back to the step."""
        return False

    def asked(self) -> Mapping[Path, Condition]:
        """The conditions the step has judged, by where they are written below it."""
        return {}

    def wheres(self) -> Mapping[Path, Where]:
        """What the step asks of the properties of events, by where it is written below it."""
        return {}

    def durations(self) -> Mapping[Path, timedelta]:
        """The spans of time the step names, by where they are written below it."""
        return {}

    def texts(self) -> Mapping[Path, str]:
        """Texts for people in which `$entry.x` may stand, by where they are written below it."""
        return {}

    def written(self) -> Mapping[Path, Any]:
        """Values the step hands on, of which any may be `$entry.x`, by where they are written below it."""
        return {}
