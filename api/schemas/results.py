"""What a journey has brought about: of its contacts, of its holdout, and of the arms of its experiments."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.schemas.fields import Input, Output
from journeys.duration import Duration
from journeys.model import GoalType
from journeys.values import EventName, Where


class GroupView(Output):
    """A group of enrollments, and how many of them met the journey's goal. Rates are between 0 and 1."""

    entered: int
    goal_met: int
    open: int = Field(description="Of the others: how many may still meet it.")
    rate: float
    rate_low: float = Field(description="Lower end of the interval that holds the true rate with 95 % confidence.")
    rate_high: float


class AfterMessageView(Output):
    """Those of a journey's contacts to whom a message was handed over before they met the goal."""

    written_to: int = Field(description="How many. Whoever had met the goal before the first message is not in it.")
    goal_met: int = Field(description="How many of them met the goal, and so after a message.")
    open: int = Field(description="Of the others: how many may still meet it.")
    rate: float
    rate_low: float = Field(description="Lower end of the interval that holds the true rate with 95 % confidence.")
    rate_high: float


class ComparisonView(Output):
    """How much more often one group met the goal than another. A difference whose interval holds 0 may be chance."""

    difference: float = Field(description="Rate minus the other group's rate.")
    low: float = Field(description="Lower end of the interval that holds the true difference with 95 % confidence.")
    high: float
    lift: float | None = Field(
        description="Difference divided by the other rate: 0.1 is a tenth more. Null: that is 0."
    )


class ArmView(GroupView):
    """An arm of an experiment."""

    arm: str
    against_first: ComparisonView | None = Field(description="Compared with the first arm; null of that itself.")


class ExperimentView(Output):
    """An experiment over all versions of the journey. Held-out contacts and the control group are not in it."""

    experiment: str
    arms: list[ArmView]
    decided_at: datetime | None = Field(description="When its winner was sought and the matter decided.")
    winner: str | None = Field(description="The arm that all go since; null where none was found (yet).")
    because: str | None


class ResultsView(Output):
    """What a journey has brought about. An enrollment counts once, in the version it was drawn in."""

    journey: str
    contacts: GroupView = Field(description="Those who got its messages.")
    after_message: AfterMessageView = Field(
        description="Of the contacts: the conversions that followed a message. `contacts` counts by entry."
    )
    holdout: GroupView | None = Field(description="Those who passed through without them; null where there is none.")
    effect: ComparisonView | None = Field(description="Contacts compared with the holdout.")
    control_group: GroupView | None = Field(
        description="Those of the global control group at their entry, who get no marketing from any journey; or null."
    )
    effect_of_marketing: ComparisonView | None = Field(description="Contacts compared with the control group.")
    experiments: list[ExperimentView]


class GoalTypeView(Output):
    """What journeys with goals of one type brought about."""

    goal_type: GoalType
    journeys: int = Field(description="How many such journeys anybody has entered.")
    contacts: GroupView = Field(description="Enrollments that got the messages.")
    holdout: GroupView | None = Field(description="Those that passed through without them; null where there are none.")
    control_group: GroupView | None = Field(
        description="Those of the global control group, without any marketing message; null where there are none."
    )


class GoalTypesView(Output):
    """The five goal types."""

    items: list[GoalTypeView]


class OtherGoalInput(Input):
    """A goal that the journey does not have, or not yet."""

    event: EventName
    where: Where = Field(default_factory=dict, description="`$entry.x` is a property of the entry, as in a goal.")
    within: Duration = Field(description="Only events so long after the entry count.", examples=["30d"])


class RetroactiveView(Output):
    """What the journey would have brought about by another goal. Nobody has left by it: read it as a hint."""

    journey: str
    retroactive: Literal[True] = Field(default=True, description="Counted afterwards, from events that are stored.")
    event: str
    within: str
    contacts: GroupView
    holdout: GroupView | None
    effect: ComparisonView | None = Field(description="The contacts compared with the holdout.")
    control_group: GroupView | None
    effect_of_marketing: ComparisonView | None = Field(description="The contacts compared with the control group.")
