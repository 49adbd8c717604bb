"""The condition tree: what can be asked of one contact. Evaluation is in `journeys.conditions.evaluation`.

Each kind is recognised by the key that only it has (`attribute:`, `event:`, `none:` …), so YAML needs no `type:`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from journeys.duration import Duration
from journeys.values import Comparison, ConsentRequirement, EventName, Key, Scalar, Since, Strict, Where


class All(Strict):
    """Every condition holds; an empty list holds."""

    all: tuple[Condition, ...]


class AnyOf(Strict):
    """At least one condition holds; an empty list does not hold."""

    any: tuple[Condition, ...]


class Not(Strict):
    """The condition does not hold."""

    not_: Condition = Field(alias="not")


class AttributeCondition(Strict):
    """The contact's attribute compares as said. Nested attributes are reached with dots: `address.city`."""

    attribute: str = Field(min_length=1, max_length=200)
    is_: Scalar | Comparison = Field(default_factory=lambda: Comparison(exists=True), alias="is")


class EventPattern(Strict):
    """Events of the contact by name, properties and time. `within` counts back from the moment of judgement."""

    event: EventName
    where: Where = Field(default_factory=dict)
    within: Duration | None = None
    since: Since = "entry"


class EventCondition(EventPattern):
    """At least so many (`at_least`, default 1) and at most so many matching events have happened."""

    at_least: int = Field(default=1, ge=0)
    at_most: int | None = Field(default=None, ge=0)


class NoneCondition(Strict):
    """No such event has happened: `none: {event: review.created}`."""

    none: EventPattern


class ConsentCondition(Strict):
    """The contact's consent stands."""

    consent: ConsentRequirement


class ListCondition(Strict):
    """The contact is on the list."""

    in_list: Key


class ScoreQuestion(Strict):
    """The contact's points (integers) under a score model."""

    model: Key
    at_least: int | None = None
    at_most: int | None = None


class ScoreCondition(Strict):
    """The contact's score lies in the range."""

    score: ScoreQuestion


class EntryCondition(Strict):
    """A property of what this enrollment started with compares as said."""

    entry: str = Field(min_length=1)
    is_: Scalar | Comparison = Field(default_factory=lambda: Comparison(exists=True), alias="is")


class StepResult(Strict):
    """The result of an earlier step of this enrollment, e.g. `{step: asked, is: timed_out}`."""

    step: Key
    is_: str = Field(alias="is")


class ResultCondition(Strict):
    """An earlier step of this enrollment ended with the result named."""

    result: StepResult


_KINDS: dict[str, str] = {
    "all": "all",
    "any": "any",
    "not": "not",
    "not_": "not",
    "attribute": "attribute",
    "event": "event",
    "none": "none",
    "consent": "consent",
    "in_list": "in_list",
    "score": "score",
    "entry": "entry",
    "result": "result",
}


def _kind(value: Any) -> str | None:
    names = value.keys() if isinstance(value, dict) else type(value).model_fields if isinstance(value, Strict) else ()
    return next((_KINDS[name] for name in names if name in _KINDS), None)


Condition = Annotated[
    Annotated[All, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[AttributeCondition, Tag("attribute")]
    | Annotated[EventCondition, Tag("event")]
    | Annotated[NoneCondition, Tag("none")]
    | Annotated[ConsentCondition, Tag("consent")]
    | Annotated[ListCondition, Tag("in_list")]
    | Annotated[ScoreCondition, Tag("score")]
    | Annotated[EntryCondition, Tag("entry")]
    | Annotated[ResultCondition, Tag("result")],
    Discriminator(
        _kind,
        custom_error_type="condition_kind",
        custom_error_message="not a condition: use one of all, any, not, attribute, event, none, consent, in_list, "
        "score, entry, result",
    ),
]
"""One node of the condition tree."""

All.model_rebuild()
AnyOf.model_rebuild()
Not.model_rebuild()
