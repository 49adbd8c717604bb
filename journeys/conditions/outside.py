"""Conditions as they are asked of somebody who is in no journey: by an audience at the door, or by a segment."""

from journeys.conditions.registry import All, AnyOf, Condition, EventCondition, NoneCondition, Not


def outside(condition: Condition) -> Condition:
    """The condition without `since`, so that its words speak of no entry. It says of nobody anything else there.

    As long as neither an entry nor a step has begun, every event counts, whatever `since` says.
    """
    match condition:
        case All():
            return condition.model_copy(update={"all": tuple(map(outside, condition.all))})
        case AnyOf():
            return condition.model_copy(update={"any": tuple(map(outside, condition.any))})
        case Not():
            return condition.model_copy(update={"not_": outside(condition.not_)})
        case EventCondition():
            return condition.model_copy(update={"since": "ever"})
        case NoneCondition():
            return condition.model_copy(update={"none": condition.none.model_copy(update={"since": "ever"})})
        case _:
            return condition
