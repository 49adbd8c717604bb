"""A journey as its author writes it: one versioned document, YAML in git and JSON over the API, this model behind both.

Compilation to the form that runs is in `journeys.plan`; findings beyond the shape are in `journeys.checks`.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from journeys.conditions.registry import Condition
from journeys.duration import Duration
from journeys.steps.registry import Step
from journeys.values import EventCriterion, EventName, Key, Scalar, Strict, Where
from journeys.window import Window


class GoalType(StrEnum):
    """The five goal types: Sell, Serve, Speak, Save, Sizzle."""

    SELL = "sell"
    SERVE = "serve"
    SPEAK = "speak"
    SAVE = "save"
    SIZZLE = "sizzle"


class Goal(Strict):
    """What the journey is for. A contact that meets it leaves at once with outcome `goal_met`."""

    type: GoalType
    event: EventName
    where: Where = Field(default_factory=dict)
    within: Duration | None = Field(default=None, description="Counted only this long after entry.")


class Cooldown(Strict):
    """May enter again this long after the last entry ended."""

    cooldown: Duration


class PerProperty(Strict):
    """One enrollment per value of a property of the entry event; several may run in parallel, none twice."""

    per: Annotated[str, Field(min_length=1, max_length=100)]


Again = Literal["never", "after_exit"] | Cooldown | PerProperty


class Entry(Strict):
    """How contacts get in: by an event, or through the API only (no `event`). Audience is judged once, at entry."""

    event: EventName | None = None
    where: Where = Field(default_factory=dict)
    audience: Condition | None = None
    again: Again = "never"

    @model_validator(mode="after")
    def _where_needs_event(self) -> "Entry":
        if self.where and self.event is None:
            raise ValueError("`where` filters an event: name the `event`, or use `audience` for the contact")
        return self


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


class Journey(Strict):
    """A journey definition. A published version of it never changes."""

    key: Key
    name: Annotated[str, Field(min_length=1, max_length=200)]
    owner: Annotated[str, Field(min_length=1, max_length=100)]
    description: str = ""
    goal: Goal | None = None
    entry: Entry
    exit: Annotated[tuple[EventCriterion, ...], BeforeValidator(_as_list)] = ()
    window: Window | None = None
    steps: tuple[Step, ...] = Field(min_length=1)


__all__ = ["Again", "Cooldown", "Entry", "Goal", "GoalType", "Journey", "PerProperty", "Scalar"]
