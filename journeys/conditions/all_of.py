"""`all`: every condition holds."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from journeys.conditions.base import BaseCondition, Facts, Needs, Verdict, earliest, joined

if TYPE_CHECKING:
    from journeys.conditions.registry import Condition


class All(BaseCondition):
    """Every condition holds; an empty list holds.

    All of them are judged, so the order changes nothing and a condition that cannot be judged never hides.
    """

    all: tuple[Condition, ...]

    def needs(self) -> Needs:
        return Needs.union(condition.needs() for condition in self.all)

    def judge(self, facts: Facts) -> Verdict:
        verdicts = [condition.judge(facts) for condition in self.all]
        failed = [verdict for verdict in verdicts if not verdict.holds]
        deciding = failed or verdicts
        return Verdict(
            holds=not failed,
            because=joined(deciding, otherwise="nothing is asked"),
            cause_event_id=next((verdict.cause_event_id for verdict in deciding if verdict.cause_event_id), None),
        )

    def changes_at(self, facts: Facts) -> datetime | None:
        return earliest(condition.changes_at(facts) for condition in self.all)

    def describe(self) -> str:
        return " and ".join(condition.describe() for condition in self.all) or "nothing asked"
