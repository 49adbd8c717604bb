"""`wait`: let exact time pass."""
# ruff: noqa: ARG002 -- `compile` has one signature for all kinds

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Literal

from journeys.duration import Duration
from journeys.places import Path
from journeys.steps.base import BaseNode, BaseStep, Compiler


class WaitNode(BaseNode):
    """Pass on after `duration`, or at once when the enrollment is told to."""

    kind: Literal["wait"]
    duration: Duration

    def planned_wait(self) -> timedelta:
        return self.duration


class WaitStep(BaseStep):
    """Wait exactly so long: `wait: 1d` is 24 hours, whatever the clocks do."""

    kind: ClassVar[str] = "wait"
    wait: Duration

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> WaitNode:
        return WaitNode(kind="wait", duration=self.wait, next=following)

    def durations(self) -> Mapping[Path, timedelta]:
        return {("wait",): self.wait}
