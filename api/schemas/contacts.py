"""Contacts: what is known of a person, and what they agreed to."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AliasChoices, Field

from api.schemas.fields import Identifier, Input, Instant, Output
from api.schemas.tracking import ContactNames, Properties
from crm.models.contact import IdentityKind
from journeys.stages import Stage, StageMove
from journeys.values import MessageChannel, Purpose

_Wording = Annotated[str, Field(max_length=2_000)]


class ContactInput(ContactNames):
    """The names of a contact, and what is to be written of it."""

    traits: Properties = Field(
        default_factory=dict,
        description=(
            "`email`, `first_name`, `last_name`, `phone`, `locale`, `time_zone`, `country`, `region` are checked; "
            "anything else is kept as it is. Null removes. Traits not named stay."
        ),
    )


class ContactView(Output):
    """What is known of a contact."""

    id: UUID
    email: str | None
    first_name: str | None
    last_name: str | None
    phone: str | None
    locale: str | None
    time_zone: str | None
    country: str | None
    region: str | None
    stage: Stage
    test_user: bool = Field(
        default=False,
        validation_alias=AliasChoices("is_test_user", "test_user"),
        description="Whether it may be put into drafts: an operator has said so, of the mail address it still has.",
    )
    attributes: Properties
    created_at: datetime
    updated_at: datetime


class NameView(Output):
    """A name that leads to a contact."""

    kind: IdentityKind
    value: str


class ContactDetail(ContactView):
    """A contact with every name it is known by."""

    names: list[NameView]


class ContactWritten(Output):
    """The contact after writing."""

    created: bool
    changed: list[str] = Field(description="Names of the fields and attributes that differ from before.")
    contact: ContactView


class ScoreEntryView(Output):
    """One reason of a score."""

    rule_key: str
    event_id: str
    points: int
    occurred_at: datetime
    reason: str = Field(default="", description="Of points that a journey gave (rule `score.given`): why.")


class ScoreView(Output):
    """Points under one model: the sum of its entries."""

    model_key: str
    model_version: int
    points: int
    entries: list[ScoreEntryView]


class ScoresView(Output):
    """The contact's score under every model."""

    items: list[ScoreView]


class ConsentInput(Input):
    """What a contact declared."""

    purpose: Purpose
    channel: MessageChannel = MessageChannel.EMAIL
    state: Literal["granted", "withdrawn"]
    source: Identifier = Field(default="api", description="Where it was declared.", examples=["checkout"])
    wording: _Wording | None = Field(default=None, description="The text the contact agreed to; keep it as proof.")
    evidence: Properties = Field(default_factory=dict, description="What proves it, e.g. the form and its version.")
    occurred_at: Instant | None = Field(default=None, description="Where missing: now.")


class ConsentView(Output):
    """One declaration, as it is kept."""

    purpose: str
    channel: str
    state: str
    source: str
    wording: str | None
    evidence: Properties
    occurred_at: datetime
    recorded_at: datetime


class StandingView(Output):
    """A consent that stands."""

    purpose: str
    channel: str


class ConsentsView(Output):
    """What stands now, and every declaration, newest first."""

    standing: list[StandingView]
    history: list[ConsentView]


class ConsentAnswer(Output):
    """What a declaration changed."""

    changed: bool = Field(description="Whether what stands has changed.")
    standing: list[StandingView]


class SuppressionInput(Input):
    """An address nothing may be sent to any more, of any class."""

    channel: MessageChannel = MessageChannel.EMAIL
    address: Annotated[str, Field(min_length=3, max_length=320, pattern=r"^[^\x00]*$")] = Field(
        examples=["ada@example.com"]
    )
    reason: Identifier = Field(examples=["complaint"])


class SuppressionAnswer(Output):
    """Whether the address was added; it is kept as a keyed digest only."""

    suppressed: Literal[True] = True
    added: bool = Field(description="False where it was suppressed already; the first reason stands.")


class StageInput(Input):
    """The lifecycle stage a contact is to be in."""

    to: Stage
    reason: Annotated[str, Field(max_length=500)] = Field(
        default="", description="Why; a step back needs one.", examples=["Rejected by sales: no budget this year."]
    )


class StageAnswer(Output):
    """What became of it."""

    result: StageMove = Field(description="`changed`, or `unchanged` where the contact was there already.")
    stage: Stage = Field(description="The stage the contact is in now.")
    before: Stage


class StageChangeView(Output):
    """One change of a contact's stage."""

    from_stage: Stage
    to_stage: Stage
    reason: str
    actor: str = Field(description="`key:…` of whoever asked for it, or `journey:…`.")
    event_id: str = Field(description="The `stage.changed` that told journeys of it.")
    enrollment_id: UUID | None = Field(description="The enrollment whose step moved the contact.")
    cause_event_id: str | None = Field(
        description="The event that led the enrollment there: the last that decided its way, or its entry event."
    )
    at: datetime


class LiftAnswer(Output):
    """Whether the address was on the list."""

    suppressed: Literal[False] = False
    removed: bool
