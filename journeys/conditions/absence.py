"""`none`: something has not happened to the contact."""

from datetime import datetime

from journeys.conditions.base import BaseCondition, Facts, Needs, Verdict, instant
from journeys.conditions.comparison import describe_where
from journeys.conditions.event import EventPattern


class NoneCondition(BaseCondition):
    """No such event has happened: `none: {event: review.created}`."""

    none: EventPattern

    def needs(self) -> Needs:
        return Needs(events=frozenset({self.none.event}))

    def judge(self, facts: Facts) -> Verdict:
        found = self.none.matching(facts)
        if not found:
            return Verdict(holds=True, because=f"no {self.none.named()}{self.none.when(facts)}")
        first = found[0]
        return Verdict(
            holds=False,
            because=f"{self.none.named()} happened on {instant(first.occurred_at)}",
            cause_event_id=first.event_id or None,
        )

    def changes_at(self, facts: Facts) -> datetime | None:
        return self.none.changes_at(facts)

    def describe(self) -> str:
        return f"no {self.none.event}{describe_where(self.none.where)}{self.none.when()}"
