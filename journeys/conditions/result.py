"""`result`: how an earlier step of this enrollment ended."""

from pydantic import Field

from journeys.conditions.base import BaseCondition, Facts, Needs, Verdict
from journeys.values import Key, Strict


class StepResult(Strict):
    """The result of an earlier step of this enrollment, e.g. `{step: asked, is: timed_out}`."""

    step: Key
    is_: str = Field(alias="is", min_length=1, max_length=60)


class ResultCondition(BaseCondition):
    """An earlier step of this enrollment ended with the result named."""

    result: StepResult

    def needs(self) -> Needs:
        return Needs()

    def judge(self, facts: Facts) -> Verdict:
        found = facts.results.get(self.result.step)
        if found is None:
            return Verdict(holds=False, because=f"step '{self.result.step}' has no result")
        return Verdict(holds=found == self.result.is_, because=f"step '{self.result.step}' ended with '{found}'")

    def describe(self) -> str:
        return f"step '{self.result.step}' ended with '{self.result.is_}'"
