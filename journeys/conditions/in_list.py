"""`in_list`: the contact is on a list."""

from journeys.conditions.base import BaseCondition, Facts, Needs, Verdict
from journeys.values import Key


class ListCondition(BaseCondition):
    """The contact is on the list."""

    in_list: Key

    def needs(self) -> Needs:
        return Needs(lists=True)

    def judge(self, facts: Facts) -> Verdict:
        holds = self.in_list in facts.lists
        return Verdict(holds=holds, because=f"{'on' if holds else 'not on'} the list '{self.in_list}'")

    def describe(self) -> str:
        return f"on the list '{self.in_list}'"
