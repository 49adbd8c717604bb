"""`start`: let the same contact into another journey, and go on without waiting for it."""
# ruff: noqa: ARG002 -- `compile` has one signature for all kinds

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from journeys.places import Path
from journeys.steps.base import BaseNode, BaseStep, Caused, Compiler
from journeys.values import Key, PropertyPath, Scalar, Strict

START_REQUESTED = "journey.start_requested"
"""The event a start is; its property `journey` names the journey, `properties` is what that is entered with."""


class StartNode(BaseNode):
    """Have the contact enter `journey`, with these properties."""

    kind: Literal["start"]
    journey: Key
    entry_key: Scalar = None
    properties: dict[PropertyPath, Scalar] = Field(default_factory=dict)

    def causes(self) -> tuple[Caused, ...]:
        return (Caused(START_REQUESTED, {"journey": self.journey}),)


class JourneyStart(Strict):
    """Which journey, and what it is entered with. `$entry.x` takes a property of this journey's own entry."""

    journey: Key
    entry_key: Scalar = Field(default=None, description="In place of the property that `again: {per: …}` names there.")
    properties: dict[PropertyPath, Scalar] = Field(
        default_factory=dict, description="What `$entry.x` stands for in that journey."
    )


class StartStep(BaseStep):
    """Start another journey for the contact. Results: `started`, `already_running` or `refused` (with a reason)."""

    kind: ClassVar[str] = "start"
    results: ClassVar[tuple[str, ...]] = ("started", "already_running", "refused")
    start: JourneyStart

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> StartNode:
        return StartNode(
            kind="start",
            journey=self.start.journey,
            entry_key=self.start.entry_key,
            properties=self.start.properties,
            next=following,
        )

    def written(self) -> Mapping[Path, Any]:
        properties: dict[Path, Any] = {
            ("start", "properties", name): value for name, value in self.start.properties.items()
        }
        return {("start", "entry_key"): self.start.entry_key, **properties}
