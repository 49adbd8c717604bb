"""A journey as its author writes it: one versioned document, YAML in git and JSON over the API, this model behind both.

Compilation to the form that runs is in `journeys.plan`; findings beyond the shape are in `journeys.checks`.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    WithJsonSchema,
    model_validator,
)

from journeys.conditions.registry import Condition
from journeys.duration import Duration, parse_duration, write_duration
from journeys.entries import Absence, Broadcast, DateEntry, TimedEntry
from journeys.frequency import AtCap, Priority
from journeys.refusals import refused
from journeys.segment_entry import SegmentEntry
from journeys.stages import Stage
from journeys.steps.registry import Step
from journeys.values import EventCriterion, EventName, Flag, Key, Scalar, Strict, Where, Whole
from journeys.window import WhenClosed, Window
from journeys.zones import ZoneName


class GoalType(StrEnum):
    """The five goal types: Sell, Serve, Speak, Save, Sizzle."""

    SELL = "sell"
    SERVE = "serve"
    SPEAK = "speak"
    SAVE = "save"
    SIZZLE = "sizzle"


def _span(value: Any) -> Any:
    return value if value == EVER else parse_duration(value)


EVER = "ever"
MetBefore = Annotated[
    Literal["ever"] | timedelta,
    BeforeValidator(_span),
    PlainSerializer(lambda value: value if value == EVER else write_duration(value), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["90d", EVER]}),
]
"""How far back an event counts as the goal met already: a duration, or `ever`."""


class Goal(Strict):
    """What the journey is for. A contact that meets it leaves at once as `goal_met`, unless `exit` is false.

    With `then` it is pulled out of whatever it is at, walks those steps once, and leaves as `goal_met` behind them.
    """

    type: GoalType
    event: EventName
    where: Where = Field(default_factory=dict)
    within: Duration | None = Field(default=None, description="Counted only this long after entry.")
    exit: Flag = Field(default=True, description="Whether meeting it ends the enrollment; false: it is only counted.")
    met_before: MetBefore | None = Field(
        default=None, description="Met by an event at most this long before entry, or `ever`: then nobody enters."
    )
    then: tuple[Step, ...] = Field(
        default=(),
        exclude_if=lambda steps: not steps,
        description="Steps for whoever meets it, at once and in place of all others; behind them the journey ends.",
    )

    @model_validator(mode="after")
    def _then_ends_it(self) -> "Goal":
        if self.then and not self.exit:
            raise refused(
                "`then` ends the journey behind its steps, and `exit: false` says that it goes on.",
                "Remove one of them.",
            )
        return self


class Cooldown(Strict):
    """May enter again this long after the last entry ended."""

    cooldown: Duration


class PerProperty(Strict):
    """One enrollment per value of a property of the entry event; several may run in parallel, none twice."""

    per: Annotated[str, Field(min_length=1, max_length=100)]


def _again_kind(value: Any) -> str | None:
    if isinstance(value, str):
        return "word"
    names = value.keys() if isinstance(value, dict) else type(value).model_fields if isinstance(value, Strict) else ()
    return next((name for name in ("cooldown", "per") if name in names), None)


Again = Annotated[
    Annotated[Literal["never", "after_exit"], Tag("word")]
    | Annotated[Cooldown, Tag("cooldown")]
    | Annotated[PerProperty, Tag("per")],
    Discriminator(
        _again_kind,
        custom_error_type="again_kind",
        custom_error_message="no rule for entering again: write never, after_exit, {cooldown: 90d} or {per: order_id}",
    ),
]
"""The re-entry rule."""


FORM_SUBMITTED = "form.submitted"
"""The event that a form was sent, with its name as property `form`."""
_TIMED = ("absence", "date", "broadcast", "segment")
_WAYS = ("event", "form", *_TIMED)


class Entry(Strict):
    """How contacts get in: by an event or a form, by the time, by a segment, or else through the API only.

    The audience is judged once, at entry; with `retry` until it holds, for so long.
    """

    event: EventName | None = None
    form: Key | None = Field(default=None, description="The form that is submitted.")
    where: Where = Field(default_factory=dict)
    absence: Absence | None = Field(default=None, description="Nothing of a kind for a period.")
    date: DateEntry | None = Field(default=None, description="A date of the contact comes.")
    broadcast: Broadcast | None = Field(default=None, description="One moment for everybody in the audience.")
    segment: SegmentEntry | None = Field(default=None, description="A contact comes into a segment, or leaves it.")
    audience: Condition | None = None
    retry: Duration | None = Field(
        default=None, description="How long an audience that does not hold yet is judged again as the contact changes."
    )
    again: Again = "never"
    at_most: Whole | None = Field(
        default=None, ge=1, le=1_000_000_000, description="So many enter in all, over all contacts and versions."
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> "Entry":
        if self.where and self.event is None and self.form is None:
            raise refused("`where` filters an event, and there is none.", "Name the `event`, or use `audience`.")
        if self.form is not None and "form" in self.where:
            raise refused("`form` says already which form it is.", "Remove it from `where`.")
        ways = [name for name in _WAYS if getattr(self, name) is not None]
        if len(ways) > 1:
            named = " and ".join(f"`{name}`" for name in ways)
            raise refused(f"{named} are different ways in.", "Keep one, and write another journey for the other.")
        return self

    @property
    def timed(self) -> TimedEntry | None:
        """What the time brings about, where that is how contacts get in."""
        return next((entry for name in _TIMED if (entry := getattr(self, name)) is not None), None)

    @property
    def trigger(self) -> EventName | None:
        """Name of the event a contact enters by, derived ones included; None where it enters through the API only."""
        if self.timed is not None:
            return self.timed.event
        return self.criterion.event if self.criterion is not None else None

    @property
    def criterion(self) -> EventCriterion | None:
        """The event of a producer that a contact enters by, a submitted form included; None where it is no such."""
        if self.form is not None:
            return EventCriterion(event=FORM_SUBMITTED, where={"form": self.form, **self.where})
        return EventCriterion(event=self.event, where=self.where) if self.event is not None else None


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


Exits = Annotated[
    tuple[EventCriterion, ...],
    BeforeValidator(_as_list, json_schema_input_type=EventCriterion | tuple[EventCriterion, ...]),
]
"""Events that end an enrollment at any step; one may be written without the list around it."""


def _each_once(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    if twice := next((stage for stage in stages if stages.count(stage) > 1), None):
        raise refused(f"the stage '{twice}' is named twice.", "Name each once.")
    return stages


Stages = Annotated[tuple[Stage, ...], AfterValidator(_each_once)]
"""Lifecycle stages."""


USUAL_HOLDOUT = 5
"""Percent held out where the author asks for a holdout and says no share."""


def _share(value: Any) -> Any:
    if isinstance(value, bool):
        return USUAL_HOLDOUT if value else None
    return value


Holdout = Annotated[
    Annotated[Whole, Field(ge=1, le=50)] | None,
    BeforeValidator(_share, json_schema_input_type=Annotated[int, Field(ge=1, le=50)] | bool | None),
]
"""Percent held out; `true` is the usual share, `false` none."""


class Journey(Strict):
    """A journey definition. A published version of it never changes."""

    key: Key = Field(description="What the journey is called in addresses, reports and the Temporal UI.")
    name: Annotated[str, Field(min_length=1, max_length=200, description="The journey's name for people.")]
    owner: Annotated[str, Field(min_length=1, max_length=100, description="The team that answers for it.")]
    description: str = Field(default="", max_length=5_000, description="What it is for, in sentences.")
    goal: Goal | None = Field(default=None, description="What it is to achieve; a contact that does so leaves.")
    stages: Stages = Field(
        default=(), description="The lifecycle stages it is for, so that it is found. It keeps nobody out."
    )
    entry: Entry = Field(description="How contacts get in.")
    exit: Exits = Field(default=(), description="Events that end it at any step.")
    exit_when: Condition | None = Field(
        default=None, description="A condition that ends it at any step as soon as it holds; judged at each change."
    )
    holdout: Holdout = Field(
        default=None,
        description="Percent of its contacts who pass through without its messages, so that its effect can be told; "
        f"`true`: {USUAL_HOLDOUT} percent.",
    )
    time_zone: ZoneName | None = Field(
        default=None,
        exclude_if=lambda zone: zone is None,  # versions from before it could be said stay what they were
        description="Where contacts without a known time zone live, for this journey. Otherwise the installation's.",
    )
    window: Window | None = Field(default=None, description="When its marketing and sales messages may leave.")
    priority: Priority = Field(
        default=Priority.NORMAL, description="Whose message goes first where several wait for the frequency cap."
    )
    cap: AtCap = Field(
        default=AtCap.DEFER, description="Its messages at the frequency cap: `defer` waits, `skip` leaves them out."
    )
    closed: WhenClosed = Field(
        default=WhenClosed.DEFER,
        exclude_if=lambda closed: (
            closed is WhenClosed.DEFER
        ),  # versions from before it could be said stay what they were
        description="Its messages at a closed window and in quiet hours: `defer` waits, `skip` leaves them out.",
    )
    steps: tuple[Step, ...] = Field(min_length=1, description="What happens, in this order.")


__all__ = ["Again", "Cooldown", "Entry", "Exits", "Goal", "GoalType", "Journey", "PerProperty", "Scalar"]
