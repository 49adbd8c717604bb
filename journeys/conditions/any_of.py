"""`any`: at least one condition holds."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from journeys.conditions.base import BaseCondition, Facts, Needs, Verdict, earliest, joined

if TYPE_CHECKING:
    from journeys.conditions.registry import Condition


class AnyOf(BaseCondition):
    """At least one condition holds; an empty list does not hold.

    All of them are judged, so the order changes nothing and a condition that cannot be judged never hides.
    """

    any: tuple[Condition, ...]

    def needs(self) -> Needs:
        return Needs.union(condition.needs() for condition in self.any)

    def judge(self, facts: Facts) -> Verdict:
        verdicts = [condition.judge(facts) for condition in self.any]
        held = [verdict for verdict in verdicts if verdict.holds]
        deciding = held or verdicts
        return Verdict(
            holds=bool(held),
            because=joined(deciding, otherwise="there is nothing that could hold"),
            cause_event_id=next((verdict.cause_event_id for verdict in deciding if verdict.cause_event_id), None),
        )

    def changes_at(self, facts: Facts) -> datetime | None:
        return earliest(condition.changes_at(facts) for condition in self.any)

    def describe(self) -> str:
        return f"({' or '.join(condition.describe() for condition in self.any)})" if self.any else "never"
