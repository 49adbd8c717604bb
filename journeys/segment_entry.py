"""Entry by a change of membership: a contact comes into a segment, or leaves it. Membership is kept in `crm`."""
# ruff: noqa: D102 -- as in `journeys.entries`, the methods promise what the base class says

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from journeys.entries import TimedEntry
from journeys.refusals import refused
from journeys.values import EventName, Key, Strict, Whole

ENTERED = "segment.entered"
LEFT = "segment.left"
"""Events that tell of a change, with the property `segment`."""
BACKFILLED = "segment.backfilled"
"""The event by which those enter who are in the segment already when the journey is published."""


class Sample(Strict):
    """A part of those who are in the segment, drawn by a hash: the same ones whenever it is asked."""

    sample: Whole = Field(ge=1, le=99, description="Percent of them.")


class SegmentEntry(TimedEntry):
    """A contact comes into a segment (`entered`), or leaves it (`left`): each change from one to the other counts.

    Who is in it when the journey is published enters only with `backfill`: `matching`, or a sample of them.
    """

    key: ClassVar[str] = "segment"
    trigger: ClassVar[EventName] = ENTERED
    given: ClassVar[frozenset[str]] = frozenset({"segment"})
    listed: ClassVar[frozenset[str]] = frozenset({"entered", "left"})

    entered: Key | None = Field(default=None, description="The segment that a contact comes into.")
    left: Key | None = Field(default=None, description="The segment that a contact leaves.")
    backfill: Literal["none", "matching"] | Sample | None = Field(
        default=None,
        description="Whether those enter who are in it when the journey is published: `none` (also where it is not "
        "said), `matching`, or a sample of so many percent.",
    )

    @model_validator(mode="after")
    def _one_change(self) -> "SegmentEntry":
        if (self.entered is None) == (self.left is None):
            raise refused("a contact enters by one change of one segment.", "Give `entered` or `left`.")
        if self.left is not None and self.arms:
            raise refused(
                "nobody can be told who has left the segment before.",
                "Remove `backfill`, or let them enter by `entered`.",
            )
        return self

    @property
    def event(self) -> EventName:
        return LEFT if self.entered is None else ENTERED

    @property
    def segment(self) -> str:
        """Key of the segment."""
        return self.entered or self.left or ""

    @property
    def arms(self) -> bool:
        return self.backfilled > 0

    @property
    def backfilled(self) -> int:
        if isinstance(self.backfill, Sample):
            return self.backfill.sample
        return 100 if self.backfill == "matching" else 0

    def lets_in(self, journey_key: str, properties: Mapping[str, Any]) -> bool:  # noqa: ARG002 -- whichever journey
        return properties.get("segment") == self.segment
