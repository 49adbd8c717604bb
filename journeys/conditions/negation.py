"""`not`: the condition does not hold."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from journeys.conditions.base import BaseCondition, Facts, Needs, Verdict

if TYPE_CHECKING:
    from journeys.conditions.registry import Condition


class Not(BaseCondition):
    """The condition does not hold. The reason stays that of the condition inside."""

    not_: Condition = Field(alias="not")

    def needs(self) -> Needs:
        return self.not_.needs()

    def judge(self, facts: Facts) -> Verdict:
        inner = self.not_.judge(facts)
        return inner.model_copy(update={"holds": not inner.holds})

    def changes_at(self, facts: Facts) -> datetime | None:
        return self.not_.changes_at(facts)

    def describe(self) -> str:
        return f"not ({self.not_.describe()})"
