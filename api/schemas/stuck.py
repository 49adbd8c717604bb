"""What is stuck, as it is answered."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas.fields import EXAMPLE_ID, EXAMPLE_INSTANT, Output, Page
from intake.halts import SENTENCES, Halt, HaltKind
from intake.stuck import REMEDIES, Stuck, StuckKind


class StuckView(Output):
    """An enrollment that should have gone on by now."""

    enrollment_id: UUID
    journey_key: str
    version: int
    step: str | None = Field(description="Where it stands; null before its first step.")
    kind: StuckKind
    since: datetime = Field(description="Since when it stands there, or when it should have gone on.")
    reason: str = Field(description="What is known of why; empty where nothing is.")
    remedy: str = Field(description="What to do, in a sentence.")


class HaltView(Output):
    """A part of the installation that does not work, for everybody at once."""

    kind: HaltKind
    since: datetime | None = Field(description="Since when; null where it never worked.")
    count: int = Field(description="How much waits for it; counting ends at 10,000.")
    remedy: str = Field(description="What is wrong and what to do, in a sentence or two.")


class StuckPage(Page[StuckView]):
    """A page of those who are stuck, and what does not work for everybody."""

    installation: list[HaltView]


def stuck_view(one: Stuck) -> StuckView:
    """One enrollment as it is answered."""
    return StuckView.model_validate(one)


def halt_view(halt: Halt) -> HaltView:
    """One part of the installation as it is answered."""
    return HaltView(kind=halt.kind, since=halt.since, count=halt.count, remedy=halt.sentence)


EXAMPLE = StuckPage(
    items=[
        StuckView(
            enrollment_id=EXAMPLE_ID,
            journey_key="welcome",
            version=4,
            step="mail",
            kind=StuckKind.NEEDS_ATTENTION,
            since=EXAMPLE_INSTANT,
            reason="Invalid: The template 'welcome' has no variable 'voucher'.",
            remedy=REMEDIES[StuckKind.NEEDS_ATTENTION],
        )
    ],
    next=None,
    installation=[
        HaltView(
            kind=HaltKind.EVENTS_WAIT,
            since=EXAMPLE_INSTANT,
            count=312,
            remedy=SENTENCES[HaltKind.EVENTS_WAIT].format(count=312),
        )
    ],
)
