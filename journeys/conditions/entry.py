"""`entry`: what this enrollment started with."""

from pydantic import Field

from journeys.conditions.base import BaseCondition, Facts, Needs, Verdict
from journeys.conditions.comparison import describe_asked, lookup, mismatch
from journeys.values import Asked, Comparison, PropertyPath


class EntryCondition(BaseCondition):
    """A property of what this enrollment started with compares as said."""

    entry: PropertyPath
    is_: Asked = Field(default_factory=lambda: Comparison(exists=True), alias="is")

    def needs(self) -> Needs:
        return Needs()

    def judge(self, facts: Facts) -> Verdict:
        name = f"entry property '{self.entry}'"
        reason = mismatch(name, lookup(facts.entry, self.entry), self.is_, facts.entry)
        return Verdict(holds=reason is None, because=reason or f"{name} is as asked")

    def describe(self) -> str:
        return f"entry property '{self.entry}' {describe_asked(self.is_)}"
