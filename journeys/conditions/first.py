"""The first of several conditions that holds: how ordered branches, and waits for one of several things, decide."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from journeys.conditions.base import Facts, earliest, joined
from journeys.conditions.registry import Condition


class FirstHolding(BaseModel, frozen=True):
    """The first condition that holds, by its position; None where none does. Why, without personal data."""

    index: int | None
    because: str
    cause_event_id: str | None = None
    again_at: datetime | None = None
    """When time alone may change the answer (aware); None where it cannot, or one holds."""


def first_holding(conditions: Sequence[Condition], facts: Facts) -> FirstHolding:
    """Judge the conditions in their order, up to the first that holds; those behind it are not looked at.

    Raises:
        kit.errors.Invalid: one that is looked at cannot be judged.
    """
    verdicts = []
    for index, condition in enumerate(conditions):
        verdict = condition.judge(facts)
        if verdict.holds:
            return FirstHolding(index=index, because=verdict.because, cause_event_id=verdict.cause_event_id)
        verdicts.append(verdict)
    again_at = earliest(condition.changes_at(facts) for condition in conditions)
    return FirstHolding(index=None, because=joined(verdicts, otherwise="nothing is asked"), again_at=again_at)
