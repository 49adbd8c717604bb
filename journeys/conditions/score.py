"""`score`: the contact's points under a score model."""

from pydantic import model_validator

from journeys.conditions.base import BaseCondition, Facts, Needs, Verdict
from journeys.refusals import refused
from journeys.values import Key, Strict, Whole


class ScoreQuestion(Strict):
    """The contact's points (integers) under a score model. A contact that never got any has 0."""

    model: Key
    at_least: Whole | None = None
    at_most: Whole | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> "ScoreQuestion":
        if self.at_least is None and self.at_most is None:
            raise refused("this asks nothing of the score.", "Give `at_least`, `at_most` or both.")
        return self

    def asked(self) -> str:
        """The range in words."""
        bounds = (("at least", self.at_least), ("at most", self.at_most))
        return " and ".join(f"{word} {bound}" for word, bound in bounds if bound is not None)


class ScoreCondition(BaseCondition):
    """The contact's score lies in the range, both ends included."""

    score: ScoreQuestion

    def needs(self) -> Needs:
        return Needs(score_models=frozenset({self.score.model}))

    def judge(self, facts: Facts) -> Verdict:
        points = facts.scores.get(self.score.model, 0)
        low_enough = self.score.at_most is None or points <= self.score.at_most
        high_enough = self.score.at_least is None or points >= self.score.at_least
        return Verdict(
            holds=low_enough and high_enough,
            because=f"score '{self.score.model}' is {points}; asked: {self.score.asked()}",
        )

    def describe(self) -> str:
        return f"score '{self.score.model}' is {self.score.asked()}"
