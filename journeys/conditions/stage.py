"""`stage`: the contact's lifecycle stage."""

from pydantic import Field, model_validator

from journeys.conditions.base import BaseCondition, Facts, Needs, Verdict
from journeys.refusals import refused
from journeys.stages import Stage
from journeys.values import Strict


class StageQuestion(Strict):
    """The contact's stage, compared in the order of stages. A contact nobody has moved yet is a visitor."""

    is_: Stage | None = Field(default=None, alias="is")
    one_of: tuple[Stage, ...] | None = Field(default=None, min_length=1)
    at_least: Stage | None = None
    at_most: Stage | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> "StageQuestion":
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise refused("this asks nothing of the stage.", "Give one of is, one_of, at_least, at_most.")
        return self

    def fits(self, stage: Stage) -> bool:
        """Whether a stage is as asked."""
        return (
            self.is_ in {None, stage}
            and (self.one_of is None or stage in self.one_of)
            and (self.at_least is None or stage.rank >= self.at_least.rank)
            and (self.at_most is None or stage.rank <= self.at_most.rank)
        )

    def asked(self) -> str:
        """The question in words."""
        several = f"one of {', '.join(self.one_of)}" if self.one_of else None
        bounds = (("at least", self.at_least), ("at most", self.at_most))
        parts = [self.is_, several, *(f"{word} {bound}" for word, bound in bounds if bound is not None)]
        return " and ".join(part for part in parts if part is not None)


class StageCondition(BaseCondition):
    """The contact is in such a lifecycle stage."""

    stage: StageQuestion

    def needs(self) -> Needs:
        return Needs(stage=True)

    def judge(self, facts: Facts) -> Verdict:
        holds = self.stage.fits(facts.stage)
        return Verdict(holds=holds, because=f"the stage is {facts.stage}; asked: {self.stage.asked()}")

    def describe(self) -> str:
        return f"stage is {self.stage.asked()}"
