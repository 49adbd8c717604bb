"""Conditions, events, values and spans of time in English."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from journeys.conditions.registry import (
    All,
    AnyOf,
    AttributeCondition,
    Condition,
    ConsentCondition,
    EntryCondition,
    EventCondition,
    EventPattern,
    ListCondition,
    NoneCondition,
    Not,
    ResultCondition,
    ScoreCondition,
    SegmentCondition,
    StepCondition,
    condition_kind,
)
from journeys.reading.parts import asked_of, listed, operators_of, same_as_entry, units_of
from journeys.reading.stages import english_stage
from journeys.reading.wording import Words
from journeys.refusals import shown
from journeys.spans import Span
from journeys.step_references import step_property, step_reference
from journeys.values import Purpose, Where, entry_reference

_PURPOSES = {Purpose.MARKETING: "marketing", Purpose.SALES: "contact by sales"}


def lasting(span: timedelta | Span) -> str:
    """`1 day`, `2 months`, `1 day and 12 hours`."""
    return (
        listed([f"{number} {unit}{'' if number == 1 else 's'}" for number, unit in units_of(span)], " and ")
        or "no time"
    )


def written(value: Any) -> str:
    """A value as its author wrote it; texts in quotation marks."""
    reference = entry_reference(value)
    if reference is not None:
        return f"{reference} of the entry"
    if (met := step_reference(value)) is not None:
        return f'{met.name} of what "{met.step}" met'
    return f'"{value}"' if isinstance(value, str) else shown(value)


def _operator(name: str, operator: str, value: Any) -> str:
    match operator:
        case "exists":
            return "given" if value else "not given"
        case "one_of":
            return f"one of {listed([written(choice) for choice in value], ' or ')}"
        case "equals":
            return "as at entry" if same_as_entry(name, value) else written(value)
        case "not_equals":
            return "other than at entry" if same_as_entry(name, value) else f"not {written(value)}"
        case _:
            return f"{'at least' if operator == 'at_least' else 'at most'} {value}"


def _comparison(name: str, asked: Any) -> str:
    return listed([_operator(name, operator, value) for operator, value in operators_of(asked).items()], " and ")


def event(name: str, where: Where) -> str:
    """An event with what is asked of it: `order.placed (amount: at least 10)`."""
    return name + asked_of(where, lambda prop, asked: f"{prop}: {_comparison(prop, asked)}")


def _times(condition: EventCondition) -> str:
    least, most = condition.at_least, condition.at_most
    if most is None:
        return "" if least == 1 else f" at least {least} times"
    if least == most:
        return f" exactly {least} {'time' if least == 1 else 'times'}"
    return f" at most {most} times" if not least else f" {least} to {most} times"


def _since(pattern: EventPattern) -> str:
    since = {"entry": " since entry", "step": " since this step began", "ever": ""}[pattern.since]
    return since + (f" in the last {lasting(pattern.within)}" if pattern.within is not None else "")


def clause(condition: Condition) -> str:
    """A condition, to stand behind "if"."""
    kind = condition_kind(condition)
    assert kind is not None  # every condition has one
    return CONDITIONS[kind](condition)


def _all(condition: All) -> str:
    inner = [
        f"({clause(one)})" if isinstance(one, AnyOf) and len(one.any) > 1 else clause(one) for one in condition.all
    ]
    return " and ".join(inner) or "nothing is asked"


def _any(condition: AnyOf) -> str:
    inner = [f"({clause(one)})" if isinstance(one, All) and len(one.all) > 1 else clause(one) for one in condition.any]
    return " or ".join(inner) or "what never holds is so"


def _not(condition: Not) -> str:
    return f"it is not so that {clause(condition.not_)}"


def _attribute(condition: AttributeCondition) -> str:
    return f"the contact's {condition.attribute} is {_comparison(condition.attribute, condition.is_)}"


def _entry_property(condition: EntryCondition) -> str:
    return f"{condition.entry} of the entry is {_comparison('', condition.is_)}"


def _happened(condition: EventCondition) -> str:
    return f"{event(condition.event, condition.where)} has happened{_times(condition)}{_since(condition)}"


def _none(condition: NoneCondition) -> str:
    return f"{event(condition.none.event, condition.none.where)} has not happened{_since(condition.none)}"


def _consent(condition: ConsentCondition) -> str:
    return f"the contact's consent to {_PURPOSES[condition.consent.purpose]} by {condition.consent.channel} stands"


def _in_list(condition: ListCondition) -> str:
    return f'the contact is on the list "{condition.in_list}"'


def _segment(condition: SegmentCondition) -> str:
    return f'the contact is in the segment "{condition.segment}"'


def _score(condition: ScoreCondition) -> str:
    bounds = (("at least", condition.score.at_least), ("at most", condition.score.at_most))
    wanted = listed([f"{word} {bound}" for word, bound in bounds if bound is not None], " and ")
    return f'the contact has {wanted} points under "{condition.score.model}"'


def _result(condition: ResultCondition) -> str:
    return f'the step "{condition.result.step}" ended with "{condition.result.is_}"'


def _step_property(condition: StepCondition) -> str:
    step, name = step_property(condition.step)
    return f'{name} of what "{step}" met is {_comparison("", condition.is_)}'


CONDITIONS: Mapping[str, Words] = {
    "all": _all,
    "any": _any,
    "not": _not,
    "attribute": _attribute,
    "event": _happened,
    "none": _none,
    "consent": _consent,
    "in_list": _in_list,
    "segment": _segment,
    "score": _score,
    "stage": english_stage,
    "entry": _entry_property,
    "result": _result,
    "step": _step_property,
}
"""By kind."""
