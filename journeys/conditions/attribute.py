"""`attribute`: a value in the contact's record."""

from pydantic import Field

from journeys.conditions.base import BaseCondition, Facts, Needs, Verdict
from journeys.conditions.comparison import describe_asked, lookup, mismatch
from journeys.values import Asked, Comparison, PropertyPath


class AttributeCondition(BaseCondition):
    """The contact's attribute compares as said. Nested attributes are reached with dots: `address.city`."""

    attribute: PropertyPath
    is_: Asked = Field(default_factory=lambda: Comparison(exists=True), alias="is")

    def needs(self) -> Needs:
        return Needs(attributes=frozenset({self.attribute}))

    def judge(self, facts: Facts) -> Verdict:
        name = f"attribute '{self.attribute}'"
        reason = mismatch(name, lookup(facts.attributes, self.attribute), self.is_, facts.entry)
        return Verdict(holds=reason is None, because=reason or f"{name} is as asked")

    def describe(self) -> str:
        return f"attribute '{self.attribute}' {describe_asked(self.is_)}"
