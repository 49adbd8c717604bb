"""Publishing as it is asked for and answered: what becomes of those inside, beforehand and while it goes on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.fields import Input, Output
from api.schemas.journeys import FindingView, VersionView
from journeys.migration import Inside, Timers, Treatment
from journeys.outlook import Fate, Shift
from journeys.values import Key

_INSIDE = "What becomes of those inside the version that is replaced: finish in it, migrate, or stop."
_MAPPING = "Of `migrate`: where those go on whose step the newer version does not have, or calls otherwise."
_TIMERS = "Of `migrate`: running waits follow the newer version, counted from when they began, or are kept as they are."


class _MigrationRequest(Input):
    """How contacts migrate."""

    mapping: dict[Key, Key] = Field(default_factory=dict, description=_MAPPING, max_length=500)
    timers: Timers = Field(default=Timers.FOLLOW, description=_TIMERS)


class TreatmentRequest(_MigrationRequest):
    """What becomes of the contacts inside."""

    inside: Inside = Field(default=Inside.FINISH, description=_INSIDE)

    def treatment(self) -> Treatment:
        """The same in the words of the domain."""
        return Treatment(self.inside, dict(self.mapping), self.timers)


class PublishRequest(TreatmentRequest):
    """How to publish, or how to promote."""

    share: Annotated[int, Field(ge=1, le=99)] | None = Field(
        default=None, description="Percent of the new contacts the version takes on trial; without it, all of them."
    )


class MoveRequest(_MigrationRequest):
    """Which older version to empty, and how."""

    from_: int = Field(alias="from", ge=1, le=2**31 - 1, description="The older version.")
    inside: Literal[Inside.MIGRATE, Inside.STOP] = Field(description="To the live version, or out.")

    def treatment(self) -> Treatment:
        """The same in the words of the domain."""
        return Treatment(self.inside, dict(self.mapping), self.timers)


class MoveView(Output):
    """A move between versions, and how far it has come. ordered = moved + refused + gone + waiting."""

    id: int
    from_version: int
    to_version: int
    inside: Inside
    mapping: dict[str, str]
    timers: Timers
    ordered: int = Field(description="Contacts found inside so far.")
    moved: int
    refused: int = Field(description="At a step without a target by now: they finish in their version.")
    gone: int = Field(description="Had ended by themselves.")
    waiting: int = Field(description="Ordered and not yet carried out.")
    done: bool
    last_refusal: str | None
    created_at: datetime


class PublishedView(Output):
    """The versions that take new contacts now, and the move that was ordered."""

    key: str
    live: VersionView
    trial: VersionView | None = Field(description="The version on trial; `share` is its percentage.")
    before: int | None = Field(description="The version that took new contacts until now; null where it stays.")
    move: MoveView | None = Field(description="How those inside the version before are moved; null where they finish.")
    findings: list[FindingView] = Field(
        description="What is doubtful about it beside the other live journeys: frequency, circles. Warnings only."
    )


class MovedTimerView(Output):
    """Timers that would end at another time: how many, from when to when; to null means at once, or looked up."""

    count: int
    shift: Shift
    before: datetime
    until: datetime | None


class StepOutlookView(Output):
    """Those at one step: what they do, and what a migration does to them."""

    step: str
    doing: str
    count: int
    target: str | None = Field(description="The step they go on at; null where nobody has said.")
    then_doing: str
    stays: bool = Field(description="Whether the time they have waited there counts.")
    timers: dict[Shift, int] = Field(description="Running timers by what happens to them.")
    moved: Sequence[MovedTimerView] = Field(description="Timers that move, those that end first; at most five.")


class OutlookView(Output):
    """What would become of those inside, under each treatment. Nothing has changed."""

    key: str
    old: int | None = Field(description="The live version; null where none is.")
    new: int = Field(description="The draft; or the version on trial, where the draft says the same.")
    trial: int | None = Field(
        default=None,
        description="Percent of the new contacts that the newer version takes on trial already: publishing the draft "
        "promotes it. Null where it is not on trial.",
    )
    count: int
    finish: dict[Fate, int]
    migrate: dict[Fate, int]
    stop: dict[Fate, int]
    steps: list[StepOutlookView]
    leaving_criteria: list[str] = Field(
        description="Events that end an enrollment in the newer version only: whom one happened to since entry leaves "
        "when migrated."
    )
    problems: list[FindingView] = Field(description="Why a migration as asked would be refused.")
    fitting_already: int | None = Field(
        default=None,
        description="Contacts who are in the entry's segment already, or whose silence has lasted already: whom its "
        "`backfill` is about, before the audience is asked. Null where the entry knows no such contacts.",
    )
