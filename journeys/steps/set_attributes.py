"""`set`: write attributes of the contact."""
# ruff: noqa: ARG002 -- `compile` has one signature for all kinds

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from journeys.places import Path
from journeys.steps.base import BaseNode, BaseStep, Caused, Compiler
from journeys.values import CONTACT_UPDATED, Scalar


class SetNode(BaseNode):
    """Write `attributes`; null removes one."""

    kind: Literal["set"]
    attributes: dict[str, Scalar]

    def causes(self) -> tuple[Caused, ...]:
        return (Caused(CONTACT_UPDATED, {"changed": list(self.attributes)}),)


class SetStep(BaseStep):
    """Set attributes of the contact; null removes one. `$entry.x` takes a property of the entry event.

    Results: `changed` or `unchanged`.
    """

    kind: ClassVar[str] = "set"
    results: ClassVar[tuple[str, ...]] = ("changed", "unchanged")
    set: dict[str, Scalar] = Field(min_length=1)

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> SetNode:
        return SetNode(kind="set", attributes=self.set, next=following)

    def written(self) -> Mapping[Path, Any]:
        return {("set", name): value for name, value in self.set.items()}
