"""`wait_for`: wait for an event, for a condition to hold, or for one of several such things; a stated time at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from journeys.conditions.registry import Condition
from journeys.duration import Duration
from journeys.places import Path
from journeys.refusals import refused
from journeys.steps.base import BaseNode, BaseStep, Compiler, Way
from journeys.steps.wait_for_first import Alternative, AwaitedWay, WaitForFirstNode, compiled, key_among
from journeys.values import EventCriterion, EventName, Flag, Strict, Where

if TYPE_CHECKING:
    from journeys.steps.registry import Step

ARRIVED, HOLDS, TIMED_OUT = "arrived", "holds", "timed_out"


class WaitForNode(BaseNode):
    """Wait until `criterion` is met, `up_to` at most; then go on at `next` (arrived) or `timed_out`."""

    kind: Literal["wait_for"]
    criterion: str
    event: EventName
    up_to: Duration
    since: Literal["entry", "step"] = "entry"
    timed_out: str | None = None

    def ways(self) -> tuple[Way, ...]:
        return (
            Way("when it comes", self.next, result=ARRIVED, met=self.criterion, most=self.up_to),
            Way("otherwise", self.timed_out, result=TIMED_OUT, least=self.up_to, most=self.up_to),
        )

    def skipped_to(self) -> str | None:
        return self.timed_out

    def planned_wait(self) -> timedelta:
        return self.up_to

    def latest_counts(self, criterion: str) -> bool:  # noqa: ARG002 -- it has one
        # A wait that looks only at events since it began learns of later ones too; otherwise the first meeting wins.
        return self.since == "step"


class AwaitedEvent(Strict):
    """The event waited for. `since: entry` takes one that came before the step was reached, too; `since: step` not."""

    event: EventName
    where: Where = Field(default_factory=dict)
    up_to: Duration
    since: Literal["entry", "step"] = "entry"


class AwaitedCondition(Strict):
    """The condition waited for: judged when the step is reached, and whenever something it depends on has changed."""

    condition: Condition
    up_to: Duration


class AwaitedFirst(Strict):
    """Several things waited for at once. `ranked`: hold until the time is over, then take the first in the list."""

    first_of: tuple[Alternative, ...] = Field(min_length=1)
    up_to: Duration
    ranked: Flag = False

    @model_validator(mode="after")
    def _names_differ(self) -> AwaitedFirst:
        names = self.names()
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise refused(f"two alternatives are called '{twice}'.", "Give one of them another name.")
        return self

    def names(self) -> list[str]:
        """What the alternatives are called, in their order."""
        return [one.name or str(number) for number, one in enumerate(self.first_of, start=1)]


_KINDS = ("event", "condition", "first_of")

Awaited = Annotated[
    Annotated[AwaitedEvent, Tag("event")]
    | Annotated[AwaitedCondition, Tag("condition")]
    | Annotated[AwaitedFirst, Tag("first_of")],
    Discriminator(
        key_among(_KINDS),
        custom_error_type="awaited_kind",
        custom_error_message=f"nothing to wait for: give it one of the keys {', '.join(_KINDS)}",
    ),
]
"""What is waited for."""


class WaitForStep(BaseStep):
    """Wait for an event, a condition or one of several, `up_to` at most; where the time is over, go the way of `else`.

    Results: `arrived` (an event), `holds` (a condition), or the name or number of an alternative; else `timed_out`.
    """

    kind: ClassVar[str] = "wait_for"
    results: ClassVar[tuple[str, ...]] = (ARRIVED, HOLDS, TIMED_OUT)
    wait_for: Awaited
    then: tuple[Step, ...] = ()
    else_: tuple[Step, ...] = Field(default=(), alias="else")

    @model_validator(mode="after")
    def _alternatives_have_their_own_steps(self) -> WaitForStep:
        if self.then and isinstance(self.wait_for, AwaitedFirst):
            raise refused("`then` stands beside several alternatives.", "Put it into the alternative it belongs to.")
        return self

    def words(self) -> tuple[str, ...]:
        match self.wait_for:
            case AwaitedEvent():
                return (ARRIVED, TIMED_OUT)
            case AwaitedCondition():
                return (HOLDS, TIMED_OUT)
            case AwaitedFirst():
                return (*self.wait_for.names(), TIMED_OUT)

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> WaitForNode | WaitForFirstNode:
        match self.wait_for:
            case AwaitedEvent():
                return self._waiting_for_event(self.wait_for, step_id, compiler, following)
            case AwaitedCondition(condition=condition):
                way = AwaitedWay(name=HOLDS, condition=condition, next=compiler.steps(self.then, following))
                ranked, ways = False, [way]
            case AwaitedFirst(ranked=ranked):
                named = zip(self.wait_for.names(), self.wait_for.first_of, strict=True)
                ways = [compiled(name, one, step_id, compiler, following) for name, one in named]
        return WaitForFirstNode(
            kind="wait_for_first",
            awaited=tuple(ways),
            up_to=self.wait_for.up_to,
            ranked=ranked,
            # At the end of its time a ranked wait looks by itself.
            looks=() if ranked else compiler.looks(step_id, [way.condition for way in ways if way.condition]),
            timed_out=compiler.steps(self.else_, following),
        )

    def _waiting_for_event(
        self, awaited: AwaitedEvent, step_id: str, compiler: Compiler, following: str | None
    ) -> WaitForNode:
        criterion = EventCriterion(event=awaited.event, where=awaited.where)
        return WaitForNode(
            kind="wait_for",
            criterion=compiler.criterion(step_id, criterion, since_step=awaited.since == "step"),
            event=awaited.event,
            up_to=awaited.up_to,
            since=awaited.since,
            next=compiler.steps(self.then, following),
            timed_out=compiler.steps(self.else_, following),
        )

    def nested(self) -> Mapping[Path, Sequence[Step]]:
        if not isinstance(self.wait_for, AwaitedFirst):
            return {("then",): self.then, ("else",): self.else_}
        alternatives: dict[Path, Sequence[Step]] = {
            ("wait_for", "first_of", number, "then"): one.then for number, one in enumerate(self.wait_for.first_of)
        }
        return {**alternatives, ("else",): self.else_}

    def asked(self) -> Mapping[Path, Condition]:
        match self.wait_for:
            case AwaitedCondition(condition=condition):
                return {("wait_for", "condition"): condition}
            case AwaitedFirst(first_of=alternatives):
                conditions = enumerate(one.asked() for one in alternatives)
                return {
                    ("wait_for", "first_of", number, "condition"): condition
                    for number, condition in conditions
                    if condition is not None
                }
            case _:
                return {}

    def wheres(self) -> Mapping[Path, Where]:
        match self.wait_for:
            case AwaitedEvent(where=where):
                return {("wait_for", "where"): where}
            case AwaitedFirst(first_of=alternatives):
                return {
                    ("wait_for", "first_of", number, "where"): one.where_of_event()
                    for number, one in enumerate(alternatives)
                }
            case _:
                return {}

    def durations(self) -> Mapping[Path, timedelta]:
        return {("wait_for", "up_to"): self.wait_for.up_to}
