"""`step`: what the event was like that an earlier step of this enrollment waited for."""

from typing import Annotated

from pydantic import Field, StringConstraints

from journeys.conditions.base import BaseCondition, Facts, Needs, Verdict
from journeys.conditions.comparison import describe_asked, lookup, mismatch
from journeys.values import Asked, Comparison

StepPath = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*\.[A-Za-z0-9_.]+$", max_length=260)]
"""A step and a property of the event it met: `paid.amount`."""


class StepCondition(BaseCondition):
    """A property of the event that an earlier step has met compares as said. Without that event it is missing."""

    step: StepPath
    is_: Asked = Field(default_factory=lambda: Comparison(exists=True), alias="is")

    @property
    def of(self) -> str:
        """The step."""
        return self.step.partition(".")[0]

    def needs(self) -> Needs:
        return Needs()

    def judge(self, facts: Facts) -> Verdict:
        step, _, path = self.step.partition(".")
        name = f"property '{path}' of what '{step}' met"
        reason = mismatch(name, lookup(facts.steps.get(step, {}), path), self.is_, facts.entry)
        return Verdict(holds=reason is None, because=reason or f"{name} is as asked")

    def describe(self) -> str:
        step, _, path = self.step.partition(".")
        return f"property '{path}' of what '{step}' met {describe_asked(self.is_)}"
