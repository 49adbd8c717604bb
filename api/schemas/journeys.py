"""Journeys as they are answered. A journey as it is sent is `journeys.model.Journey`."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from api.schemas.fields import Output

STORED_STATES = Literal["draft", "live", "finishing", "stopped"]


class FindingView(Output):
    """Something a check found, of a journey or of several. An error keeps it from being stored, a warning does not."""

    severity: str = Field(examples=["warning"])
    field: str = Field(examples=["steps[2].send.template"])
    what: str
    remedy: str


class VersionView(Output):
    """One version of a journey."""

    version: int
    state: STORED_STATES
    definition: dict[str, Any] = Field(description="The journey document.")
    plan: dict[str, Any] = Field(description="The compiled form: a flat table of steps, and the events it listens for.")
    created_at: datetime
    published_at: datetime | None


class DraftView(Output):
    """A stored draft, and what its check found."""

    key: str
    draft: VersionView
    findings: list[FindingView] = Field(description="Warnings; with errors nothing would have been stored.")


class PublishedView(Output):
    """The version that takes new contacts now."""

    key: str
    live: VersionView
    findings: list[FindingView] = Field(
        description="What is doubtful about it beside the other live journeys: frequency, circles. Warnings only."
    )


class JourneyItem(Output):
    """A journey in a listing."""

    key: str
    name: str
    owner: str
    live: int | None = Field(description="Version that takes new contacts.")
    draft: int | None = Field(description="Version being written.")


class StepCountsView(Output):
    """What became of the contacts that reached a step: arrivals = waiting + the sum of the others."""

    arrivals: int
    waiting: int
    passed: int
    refused: int
    skipped: int
    exited: int
    failed: int


class JourneyView(Output):
    """A journey: what is live, what is being written, and how many contacts are where."""

    key: str
    live: VersionView | None
    draft: VersionView | None
    counts: dict[str, StepCountsView] = Field(description="Per step of the live version.")
