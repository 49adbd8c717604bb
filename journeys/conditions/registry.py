"""The condition kinds: one line each in the union. A condition says which facts it needs, and judges them.

Each kind is one file here, recognised by the key that only it has (`attribute:`, `event:`, `none:` and so on), so
YAML needs no `type:`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from journeys.conditions.absence import NoneCondition
from journeys.conditions.all_of import All
from journeys.conditions.any_of import AnyOf
from journeys.conditions.attribute import AttributeCondition
from journeys.conditions.consent import ConsentCondition
from journeys.conditions.entry import EntryCondition
from journeys.conditions.event import EventCondition, EventPattern
from journeys.conditions.in_list import ListCondition
from journeys.conditions.in_segment import SegmentCondition
from journeys.conditions.negation import Not
from journeys.conditions.result import ResultCondition, StepResult
from journeys.conditions.score import ScoreCondition, ScoreQuestion
from journeys.conditions.stage import StageCondition, StageQuestion
from journeys.conditions.step_met import StepCondition
from journeys.values import Strict

CONDITION_KINDS = (
    "all",
    "any",
    "not",
    "attribute",
    "event",
    "none",
    "consent",
    "in_list",
    "segment",
    "score",
    "stage",
    "entry",
    "result",
    "step",
)


def condition_kind(value: Any) -> str | None:
    """The kind of a condition, recognised by the key that only it has; None where no kind's key is present."""
    if isinstance(value, dict):
        names = value.keys()
    elif isinstance(value, Strict):
        names = type(value).model_fields.keys()
    else:
        return None
    return next((kind for kind in CONDITION_KINDS if kind in names or f"{kind}_" in names), None)


Condition = Annotated[
    Annotated[All, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[AttributeCondition, Tag("attribute")]
    | Annotated[EventCondition, Tag("event")]
    | Annotated[NoneCondition, Tag("none")]
    | Annotated[ConsentCondition, Tag("consent")]
    | Annotated[ListCondition, Tag("in_list")]
    | Annotated[SegmentCondition, Tag("segment")]
    | Annotated[ScoreCondition, Tag("score")]
    | Annotated[StageCondition, Tag("stage")]
    | Annotated[EntryCondition, Tag("entry")]
    | Annotated[ResultCondition, Tag("result")]
    | Annotated[StepCondition, Tag("step")],
    Discriminator(
        condition_kind,
        custom_error_type="condition_kind",
        custom_error_message=f"not a condition: give it one of the keys {', '.join(CONDITION_KINDS)}",
    ),
]
"""One node of the condition tree."""

for _nesting in (All, AnyOf, Not):
    _nesting.model_rebuild(_types_namespace={"Condition": Condition})

__all__ = [
    "CONDITION_KINDS",
    "All",
    "AnyOf",
    "AttributeCondition",
    "Condition",
    "ConsentCondition",
    "EntryCondition",
    "EventCondition",
    "EventPattern",
    "ListCondition",
    "NoneCondition",
    "Not",
    "ResultCondition",
    "ScoreCondition",
    "ScoreQuestion",
    "SegmentCondition",
    "StageCondition",
    "StageQuestion",
    "StepCondition",
    "StepResult",
    "condition_kind",
]
