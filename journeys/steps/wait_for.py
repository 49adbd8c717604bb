"""`wait_for`: wait for an event of the contact, a stated time at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from journeys.duration import Duration
from journeys.places import Path
from journeys.steps.base import BaseNode, BaseStep, Compiler, Way
from journeys.values import EventCriterion, EventName, Strict, Where

if TYPE_CHECKING:
    from journeys.steps.registry import Step


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
            Way("when it comes", self.next, result="arrived", met=self.criterion, most=self.up_to),
            Way("otherwise", self.timed_out, result="timed_out", least=self.up_to, most=self.up_to),
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


class WaitForStep(BaseStep):
    """Wait until the event arrives, `up_to` at most. Results: `arrived` (then: `then`), `timed_out` (then: `else`)."""

    kind: ClassVar[str] = "wait_for"
    results: ClassVar[tuple[str, ...]] = ("arrived", "timed_out")
    wait_for: AwaitedEvent
    then: tuple[Step, ...] = ()
    else_: tuple[Step, ...] = Field(default=(), alias="else")

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> WaitForNode:
        awaited = self.wait_for
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
        return {("then",): self.then, ("else",): self.else_}

    def wheres(self) -> Mapping[Path, Where]:
        return {("wait_for", "where"): self.wait_for.where}

    def durations(self) -> Mapping[Path, timedelta]:
        return {("wait_for", "up_to"): self.wait_for.up_to}
