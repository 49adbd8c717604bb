"""`list`: add the contact to a list, or remove it."""
# ruff: noqa: ARG002 -- `compile` has one signature for all kinds

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from journeys.refusals import refused
from journeys.steps.base import BaseNode, BaseStep, Caused, Compiler
from journeys.values import Key, Strict

LIST_JOINED, LIST_LEFT = "list.joined", "list.left"
"""The events that follow a change of membership; their property `list` names the list."""


class ListNode(BaseNode):
    """Make the contact a member of `list_key`, or no longer."""

    kind: Literal["list"]
    list_key: Key
    member: bool

    def causes(self) -> tuple[Caused, ...]:
        return (Caused(LIST_JOINED if self.member else LIST_LEFT, {"list": self.list_key}),)


class ListChange(Strict):
    """`add` to a list or `remove` from one; exactly one of both."""

    add: Key | None = Field(default=None, description="List to join.")
    remove: Key | None = Field(default=None, description="List to leave.")

    @model_validator(mode="after")
    def _exactly_one(self) -> "ListChange":
        if (self.add is None) == (self.remove is None):
            raise refused(
                "this is not one change of one list.", "Say either `add` or `remove`, with the key of a list."
            )
        return self


class ListStep(BaseStep):
    """Change list membership; joining and leaving are events of the contact. Results: `joined`, `left`, `unchanged`."""

    kind: ClassVar[str] = "list"
    results: ClassVar[tuple[str, ...]] = ("joined", "left", "unchanged")
    list: ListChange

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> ListNode:
        key = self.list.add or self.list.remove
        assert key is not None  # `_exactly_one` has seen to it
        return ListNode(kind="list", list_key=key, member=self.list.add is not None, next=following)
