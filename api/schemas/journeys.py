"""Journeys as they are answered. A journey as it is sent is `journeys.model.Journey`."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from api.schemas.fields import Output
from journeys.model import GoalType
from journeys.stages import Stage

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
    share: int | None = Field(default=None, description="Of a version on trial: the percent of new contacts it takes.")


class VersionItem(Output):
    """A version in the listing of a journey's versions."""

    version: int
    state: STORED_STATES
    share: int | None = Field(description="Of a version on trial: the percent of new contacts it takes.")
    inside: int = Field(description="Contacts inside it now.")


class DraftView(Output):
    """A stored draft, and what its check found."""

    key: str
    draft: VersionView
    findings: list[FindingView] = Field(description="Warnings; with errors nothing would have been stored.")


class JourneyItem(Output):
    """A journey in a listing."""

    key: str
    name: str
    owner: str
    goal_type: GoalType | None
    stages: list[Stage] = Field(description="The lifecycle stages it is for.")
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
    migrated: int = Field(description="Went on in another version.")


class JourneyView(Output):
    """A journey: what is live, what is being written, and how many contacts are where."""

    key: str
    paused_at: datetime | None = Field(description="Since when nobody is let in and everybody inside is frozen.")
    live: VersionView | None
    trial: VersionView | None = Field(description="The version that takes a share of the new contacts beside it.")
    draft: VersionView | None
    versions: list[VersionItem] = Field(description="Newest first.")
    counts: dict[str, StepCountsView] = Field(description="Per step of the live version.")
