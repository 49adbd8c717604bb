"""What was sent or not, and why: messages of the ledger, and entries that were refused."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas.fields import EXAMPLE_ID, EXAMPLE_INSTANT, Output, Page
from messaging.models import HELD_BACK, HeldMessage, MessageRecord


class MessageView(Output):
    """One message: sent, refused, of unknown fate, or held back until an instant, with the reason."""

    id: UUID
    enrollment_id: UUID
    test: bool = Field(default=False, description="Whether it is of a test run of a draft.")
    step: str
    iteration: int
    channel: str
    template_key: str
    template_version: int | None
    locale: str | None
    state: str = Field(description="held_back, handing_over, handed_over, refused, failed or unknown.")
    refusal: str | None = Field(description="Why it was not sent; the closed list is in docs/messaging.md.")
    because: str
    until: datetime | None = Field(default=None, description="Of one that is held back: when its turn is to come.")
    provider: str | None
    created_at: datetime
    settled_at: datetime | None

    @classmethod
    def of(cls, row: MessageRecord | HeldMessage, *, test: bool = False) -> "MessageView":
        """The message as it stands in the ledger, or waits to get there."""
        if isinstance(row, MessageRecord):
            return cls.model_validate(row).model_copy(update={"test": test})
        told = {name: getattr(row, name) for name in vars(row) if name in cls.model_fields}
        nothing_yet = dict.fromkeys(("template_version", "locale", "refusal", "provider", "settled_at"))
        return cls(**nothing_yet, **told, test=test, state=HELD_BACK)


class RefusalView(Output):
    """One entry into a journey that was refused."""

    journey_key: str
    version: int
    reason: str = Field(description="The closed list is in docs/architecture/intake.md.")
    because: str
    cause_event_id: str | None
    at: datetime
    retry_until: datetime | None = Field(
        default=None, description="Until when the audience is judged again as the contact changes."
    )
    settled_at: datetime | None = Field(
        default=None, description="When it held after all; an enrollment or a later refusal tells what came of it."
    )


MESSAGES = Page[MessageView](
    items=[
        MessageView(
            id=EXAMPLE_ID,
            enrollment_id=EXAMPLE_ID,
            step="voucher",
            iteration=1,
            channel="email",
            template_key="voucher",
            template_version=1,
            locale="de",
            state="refused",
            refusal="no_consent",
            because="no consent to marketing by email",
            provider=None,
            created_at=EXAMPLE_INSTANT,
            settled_at=EXAMPLE_INSTANT,
        )
    ],
    next=None,
)
REFUSALS = Page[RefusalView](
    items=[
        RefusalView(
            journey_key="voucher-and-review",
            version=1,
            reason="audience",
            because="no consent to marketing by email",
            cause_event_id="order-4711-placed",
            at=EXAMPLE_INSTANT,
        )
    ],
    next=None,
)
