"""`segment`: the contact is in a segment."""

from journeys.conditions.base import BaseCondition, Facts, Needs, Verdict
from journeys.values import Key


class SegmentCondition(BaseCondition):
    """The contact is in the segment: its membership as it is kept, not judged anew."""

    segment: Key

    def needs(self) -> Needs:
        return Needs(segments=frozenset({self.segment}))

    def judge(self, facts: Facts) -> Verdict:
        holds = self.segment in facts.segments
        return Verdict(holds=holds, because=f"{'in' if holds else 'not in'} the segment '{self.segment}'")

    def describe(self) -> str:
        return f"in the segment '{self.segment}'"
