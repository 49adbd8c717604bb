"""The alternatives of a `wait_for` that waits for one of several things, and the node such a wait becomes.

A wait for a condition alone is one with a single alternative. How the step is written is in `journeys.steps.wait_for`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from journeys.conditions.registry import Condition
from journeys.duration import Duration
from journeys.steps.base import BaseNode, Compiler, Way
from journeys.values import EventCriterion, EventName, Key, Strict, Where

if TYPE_CHECKING:
    from journeys.steps.registry import Step


class AwaitedWay(Strict):
    """One of the things waited for: an event that meets `criterion`, or a condition that holds."""

    name: str
    criterion: str | None = None
    event: EventName | None = None
    since: Literal["entry", "step"] = "entry"
    condition: Condition | None = None
    next: str | None = None

    def describe(self) -> str:
        """What is waited for, in words."""
        return self.condition.describe() if self.condition is not None else str(self.event)


class WaitForFirstNode(BaseNode):
    """Wait until one of `awaited` is there, `up_to` at most; go on at its `next`, or at `timed_out`.

    `ranked`: hold until the time is over, and take the first of the list that is there then. `looks` are the criteria
    of events that may change what the conditions say.
    """

    kind: Literal["wait_for_first"]
    awaited: tuple[AwaitedWay, ...]
    up_to: Duration
    ranked: bool = False
    looks: tuple[str, ...] = ()
    timed_out: str | None = None

    def ways(self) -> tuple[Way, ...]:
        least = self.up_to if self.ranked else timedelta()
        ways = [
            Way(
                f"'{way.name}'",
                way.next,
                result=way.name,
                holds=way.condition,
                met=way.criterion or "",
                least=least,
                most=self.up_to,
            )
            for way in self.awaited
        ]
        return (*ways, Way("otherwise", self.timed_out, result="timed_out", least=self.up_to, most=self.up_to))

    def skipped_to(self) -> str | None:
        return self.timed_out

    def planned_wait(self) -> timedelta:
        return self.up_to

    def latest_counts(self, criterion: str) -> bool:
        return any(way.criterion == criterion and way.since == "step" for way in self.awaited)


class EventAlternative(Strict):
    """An event that may come first, and the steps for that. `since` as in a `wait_for` of one event."""

    name: Key | None = Field(default=None, description="The step's result where this comes first; else its number.")
    event: EventName
    where: Where = Field(default_factory=dict)
    since: Literal["entry", "step"] = "entry"
    then: tuple[Step, ...] = ()

    def asked(self) -> None:
        """The condition asked: none."""

    def where_of_event(self) -> Where:
        """What is asked of the event's properties."""
        return self.where


class ConditionAlternative(Strict):
    """A condition that may hold first, and the steps for that."""

    name: Key | None = Field(default=None, description="The step's result where this comes first; else its number.")
    condition: Condition
    then: tuple[Step, ...] = ()

    def asked(self) -> Condition:
        """The condition asked."""
        return self.condition

    def where_of_event(self) -> Where:
        """What is asked of the event's properties: there is no event."""
        return {}


def key_among(kinds: Sequence[str]) -> Callable[[Any], str | None]:
    """Tells a form by the key that only it has."""

    def kind(value: Any) -> str | None:
        names = value if isinstance(value, dict) else type(value).model_fields if isinstance(value, Strict) else ()
        return next((name for name in kinds if name in names), None)

    return kind


_KINDS = ("event", "condition")

Alternative = Annotated[
    Annotated[EventAlternative, Tag("event")] | Annotated[ConditionAlternative, Tag("condition")],
    Discriminator(
        key_among(_KINDS),
        custom_error_type="awaited_kind",
        custom_error_message=f"nothing to wait for: give it one of the keys {', '.join(_KINDS)}",
    ),
]
"""One of several things waited for."""


def compiled(
    name: str, alternative: Alternative, step_id: str, compiler: Compiler, following: str | None
) -> AwaitedWay:
    """The way an alternative becomes."""
    if isinstance(alternative, ConditionAlternative):
        return AwaitedWay(name=name, condition=alternative.condition, next=compiler.steps(alternative.then, following))
    criterion = EventCriterion(event=alternative.event, where=alternative.where)
    since_step = alternative.since == "step"
    return AwaitedWay(
        name=name,
        criterion=compiler.criterion(step_id, criterion, since_step=since_step, part=name),
        event=alternative.event,
        since=alternative.since,
        next=compiler.steps(alternative.then, following),
    )
