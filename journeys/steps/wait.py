"""`wait`: let exact time pass, or wait for a moment: of calendar, date, window or contact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from journeys.best_time import BestTimeMoment
from journeys.duration import Duration
from journeys.moments import (
    UNKNOWN_FORM,
    UNKNOWN_FORM_MESSAGE,
    AnyMoment,
    CalendarText,
    Dated,
    DateMoment,
    InstantMoment,
    Moment,
    WindowMoment,
    WindowText,
    date_source,
    form_of,
)
from journeys.places import Path
from journeys.quiet import QUIET_HOURS
from journeys.refusals import refused
from journeys.steps.base import BaseNode, BaseStep, Compiler, Way
from journeys.values import EventCriterion, Where

if TYPE_CHECKING:
    from journeys.steps.registry import Step

DUE, LATE, MISSING = "due", "late", "missing"


class WaitNode(BaseNode):
    """Pass on after `duration`, or at once when the enrollment is told to. `result` stands for that of a moment."""

    kind: Literal["wait"]
    duration: Duration
    result: str = ""

    def planned_wait(self) -> timedelta:
        return self.duration


class WaitUntilNode(BaseNode):
    """Have `moment` looked up, wait until then and go on at `next`; at `otherwise` where it is too late for that.

    `moved` are the criteria that have the moment looked up anew, whenever they are met.
    """

    kind: Literal["wait_until"]
    moment: AnyMoment
    otherwise: str | None = None
    moved: tuple[str, ...] = ()

    def ways(self) -> tuple[Way, ...]:
        least, most = self.moment.lasts()
        if self.otherwise == self.next:
            return (Way("", self.next, least=least, most=most),)
        # A moment that moves while it is waited for may be found to have passed after any time.
        return (
            Way("when it is time", self.next, least=least, most=most),
            Way("too late", self.otherwise, most=most),
        )

    def skipped_to(self) -> str | None:
        return self.otherwise

    def latest_counts(self, criterion: str) -> bool:
        return criterion in self.moved


Wait = Annotated[
    Annotated[Duration, Tag("duration")]
    | Annotated[CalendarText, Tag("calendar")]
    | Annotated[WindowText, Tag("window")]
    | Annotated[InstantMoment, Tag("instant")]
    | Annotated[DateMoment, Tag("date")]
    | Annotated[BestTimeMoment, Tag("best")],
    Discriminator(form_of, custom_error_type=UNKNOWN_FORM, custom_error_message=UNKNOWN_FORM_MESSAGE),
]
"""Exact time, or a moment."""


class WaitStep(BaseStep):
    """Wait so long, or until a moment: `wait: 1d` is 24 hours, whatever the clocks do, `1 day at 09:00` a calendar day.

    Results: `due`; of an instant or a date also `late` (then: `else`) and `missing`. Exact time has none.
    """

    kind: ClassVar[str] = "wait"
    results: ClassVar[tuple[str, ...]] = (DUE, LATE, MISSING)
    wait: Wait
    then: tuple[Step, ...] = Field(default=(), description="What belongs to the moment: left out where it is too late.")
    else_: tuple[Step, ...] = Field(default=(), alias="else", description="What happens where it is too late.")

    @model_validator(mode="after")
    def _branches_need_a_moment_that_can_pass(self) -> WaitStep:
        if self.nested() and not isinstance(self.wait, Dated):
            raise refused(
                "this wait is never too late, so it has no `then` and `else`.", "Write the steps behind it instead."
            )
        return self

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> WaitNode | WaitUntilNode:
        if isinstance(self.wait, timedelta):
            return WaitNode(kind="wait", duration=self.wait, next=following)
        return WaitUntilNode(
            kind="wait_until",
            moment=self.wait,
            moved=tuple(_moves(self.wait, step_id, compiler)),
            next=compiler.steps(self.then, following),
            otherwise=compiler.steps(self.else_, following),
        )

    def words(self) -> tuple[str, ...]:
        if isinstance(self.wait, timedelta):
            return ()
        if isinstance(self.wait, DateMoment):
            return self.results
        return (DUE, LATE) if isinstance(self.wait, Dated) else (DUE,)

    def nested(self) -> Mapping[Path, Sequence[Step]]:
        return {("then",): self.then, ("else",): self.else_} if self.then or self.else_ else {}

    def wheres(self) -> Mapping[Path, Where]:
        moved_by = self.wait.moved_by if isinstance(self.wait, DateMoment) else None
        return {("wait", "moved_by", "where"): moved_by.where} if moved_by else {}

    def durations(self) -> Mapping[Path, timedelta]:
        if isinstance(self.wait, timedelta):
            return {("wait",): self.wait}
        named = {"before": self.wait.before, "after": self.wait.after} if isinstance(self.wait, DateMoment) else {}
        return {("wait", name): value for name, value in named.items() if isinstance(value, timedelta)}

    def written(self) -> Mapping[Path, Any]:
        if not isinstance(self.wait, DateMoment) or not self.wait.reference.startswith("$entry."):
            return {}
        return {("wait", "on" if self.wait.on else "date"): self.wait.reference}


def _moves(moment: Moment, step_id: str, compiler: Compiler) -> Iterator[str]:
    """The criteria by which the moment may move while it is waited for."""
    if isinstance(moment, DateMoment) and moment.moved_by:
        yield compiler.moved(step_id, EventCriterion(event=moment.moved_by.event, where=moment.moved_by.where))
    if changed := _attributes_of(moment):
        yield compiler.moved_by_contact(step_id, changed)


def _attributes_of(moment: Moment) -> tuple[str, ...]:
    """The attributes of the contact by which the moment is computed."""
    if isinstance(moment, WindowMoment):
        return ("time_zone", "country", "region")
    if isinstance(moment, BestTimeMoment):
        return ("time_zone", QUIET_HOURS, *(("country", "region") if moment.best_time.in_window else ()))
    if isinstance(moment, InstantMoment):
        return ("time_zone",) if moment.until.tzinfo is None else ()
    if not isinstance(moment, DateMoment):
        return ("time_zone",)
    source, path = date_source(moment.reference)
    return ("time_zone", *dict.fromkeys((path.partition(".")[0], path))) if source == "contact" else ("time_zone",)
