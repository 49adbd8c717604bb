"""Test users, and what they try: bodies and their examples."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.enrollments import EnrollmentView
from api.schemas.fields import Input, Output
from api.schemas.tracking import ContactNames, Properties
from crm.tryouts import Pace
from intake.tryouts import Tryout, TryoutRefusal
from journeys.duration import Duration
from journeys.values import Key

_Experiments = Annotated[dict[Key, Key], Field(max_length=100)]


class TryoutRequest(Input):
    """Which test user shall try the draft, with what, and how fast."""

    contact: ContactNames
    properties: Properties = Field(
        default_factory=dict, description="What `$entry.x` stands for in the journey, as an entry event's properties."
    )
    waits: Annotated[Duration, Field(gt=timedelta())] | None = Field(
        default=None,
        description="Each wait lasts at most so long, and send windows are always open. Without it: as written.",
    )
    arms: _Experiments = Field(
        default_factory=dict, description="By experiment the arm to go; one that is not named is drawn."
    )
    restart: bool = Field(default=False, description="End a test run of this draft that is still on, and begin anew.")

    def tryout(self) -> Tryout:
        """The same as the journeys' side asks for it."""
        return Tryout(self.properties, Pace(self.waits, dict(self.arms)), self.restart)


class TryoutAnswer(Output):
    """Whether the test user is inside the draft."""

    result: Literal["started", "already_running", "refused"]
    reason: TryoutRefusal | None = Field(default=None, description="Why it was refused.")
    because: str | None = Field(default=None, description="The same in a sentence.")
    enrollment: EnrollmentView | None = Field(default=None, description="The new one, or the one that runs already.")


REQUEST = {
    "contact": {"email": "ada@shop.example"},
    "properties": {"product_id": "P-7"},
    "waits": "1m",
    "arms": {"subject-line": "question"},
}
