"""How the clocks and rounds of a journey that time lets contacts into are shown."""

from datetime import datetime

from pydantic import Field

from api.schemas.fields import EXAMPLE_INSTANT, Output
from crm.models.clock import RoundKind


class RoundView(Output):
    """A walk through the contacts on behalf of the journey's entry, and how far it has come."""

    id: int
    kind: RoundKind = Field(
        description="`clear`, `retime`, `arm`: clocks follow a publication; `broadcast`: contacts are let in."
    )
    due_at: datetime = Field(description="When it may begin.")
    zones: int | None = Field(description="Number of time zones it is for; null: everybody left.")
    contacts: int = Field(description="Looked at so far.")
    done: int = Field(
        description="Of these, those for whom something was done; in a broadcast those let in or given a place."
    )
    begun_at: datetime | None
    finished_at: datetime | None
    outcome: str = Field(description="`done`, or why it was not; empty until it has finished.")


class ClocksView(Output):
    """Clocks of the contacts, and the newest hundred rounds, newest first."""

    running: int = Field(description="Clocks that are to ring.")
    next_due_at: datetime | None = Field(description="When the first of them is looked at.")
    rung: int = Field(description="Contacts whose clock has rung.")
    rounds: list[RoundView]


CLOCKS = ClocksView(
    running=1_840,
    next_due_at=EXAMPLE_INSTANT,
    rung=260,
    rounds=[
        RoundView(
            id=1,
            kind=RoundKind.ARM,
            due_at=EXAMPLE_INSTANT,
            zones=None,
            contacts=2_100,
            done=1_840,
            begun_at=EXAMPLE_INSTANT,
            finished_at=EXAMPLE_INSTANT,
            outcome="done",
        )
    ],
)
"""The example in the OpenAPI document."""
