"""Conditions, events, values and spans of time in German."""

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
from journeys.reading.stages import german_stage
from journeys.reading.wording import Words
from journeys.spans import Span
from journeys.step_references import step_property, step_reference
from journeys.values import MessageChannel, Purpose, Where, entry_reference

_PURPOSES = {Purpose.MARKETING: "Werbung", Purpose.SALES: "Ansprache durch den Vertrieb"}
CHANNELS = {MessageChannel.EMAIL: "per E-Mail"}
_UNITS = {
    "year": ("Jahr", "Jahre", "Jahren", "einem"),
    "month": ("Monat", "Monate", "Monaten", "einem"),
    "week": ("Woche", "Wochen", "Wochen", "einer"),
    "day": ("Tag", "Tage", "Tagen", "einem"),
    "hour": ("Stunde", "Stunden", "Stunden", "einer"),
    "minute": ("Minute", "Minuten", "Minuten", "einer"),
    "second": ("Sekunde", "Sekunden", "Sekunden", "einer"),
}
"""Singular, plural, plural behind "in" and "nach", and "one" there."""


def lasting(span: timedelta | Span) -> str:
    """`1 Tag`, `2 Monate`, `1 Tag und 12 Stunden`: how long something lasts."""
    parts = [f"{number} {_UNITS[unit][0 if number == 1 else 1]}" for number, unit in units_of(span)]
    return listed(parts, " und ") or "keine Zeit"


def after(span: timedelta | Span) -> str:
    """`einem Tag`, `2 Monaten`: behind "nach", "vor", "seit" and "innerhalb von"."""
    parts = [f"{_UNITS[u][3]} {_UNITS[u][0]}" if n == 1 else f"{n} {_UNITS[u][2]}" for n, u in units_of(span)]
    return listed(parts, " und ") or "keiner Zeit"


def _recently(span: timedelta) -> str:
    parts = units_of(span)
    if len(parts) == 1 and parts[0][0] > 1:
        return f"in den letzten {after(span)}"
    return f"innerhalb von {after(span)}"


def quoted(name: str) -> str:
    """A name or text in German quotation marks."""
    return f"„{name}“"


def written(value: Any) -> str:
    """A value as its author wrote it; texts in quotation marks, numbers with a decimal comma."""
    reference = entry_reference(value)
    if reference is not None:
        return f"{reference} des Einstiegs"
    if (met := step_reference(value)) is not None:
        return f"{met.name} aus {quoted(met.step)}"
    if value is None or isinstance(value, bool):
        return {None: "nichts", True: "ja", False: "nein"}[value]
    return quoted(value) if isinstance(value, str) else str(value).replace(".", ",")


def _operator(name: str, operator: str, value: Any) -> str:
    match operator:
        case "exists":
            return "vorhanden" if value else "nicht vorhanden"
        case "one_of":
            return listed([written(choice) for choice in value], " oder ")
        case "equals":
            return "wie beim Einstieg" if same_as_entry(name, value) else written(value)
        case "not_equals":
            return "anders als beim Einstieg" if same_as_entry(name, value) else f"nicht {written(value)}"
        case _:
            return f"{'mindestens' if operator == 'at_least' else 'höchstens'} {written(value)}"


def _comparison(name: str, asked: Any) -> str:
    return listed([_operator(name, operator, value) for operator, value in operators_of(asked).items()], " und ")


def event(name: str, where: Where) -> str:
    """An event with what is asked of it: `„order.placed“ (amount: mindestens 10)`."""
    return quoted(name) + asked(where)


def asked(where: Where) -> str:
    """What is asked of an event, in brackets."""
    return asked_of(where, lambda name, asked: f"{name}: {_comparison(name, asked)}")


def _times(condition: EventCondition) -> str:
    least, most = condition.at_least, condition.at_most
    if most is None:
        return "" if least == 1 else f" mindestens {least}-mal"
    if least == most:
        return f" genau {least}-mal"
    return f" höchstens {most}-mal" if not least else f" {least}- bis {most}-mal"


def _since(pattern: EventPattern) -> str:
    since = {"entry": "seit dem Einstieg", "step": "seit Beginn dieses Schritts", "ever": ""}[pattern.since]
    within = _recently(pattern.within) if pattern.within is not None else ""
    return "".join(f"{part} " for part in (since, within) if part)


def clause(condition: Condition) -> str:
    """A condition with its verb at the end, to stand behind „wenn“, „ob“ and „sofern“."""
    kind = condition_kind(condition)
    assert kind is not None  # every condition has one
    return CONDITIONS[kind](condition)


def _all(condition: All) -> str:
    inner = [
        f"({clause(one)})" if isinstance(one, AnyOf) and len(one.any) > 1 else clause(one) for one in condition.all
    ]
    return " und ".join(inner) or "nichts weiter verlangt ist"


def _any(condition: AnyOf) -> str:
    inner = [f"({clause(one)})" if isinstance(one, All) and len(one.all) > 1 else clause(one) for one in condition.any]
    return " oder ".join(inner) or "etwas Unmögliches eintritt"


def _not(condition: Not) -> str:
    match condition.not_:
        case ListCondition(in_list=key):
            return f"der Kontakt nicht auf der Liste {quoted(key)} steht"
        case SegmentCondition(segment=key):
            return f"der Kontakt nicht im Segment {quoted(key)} ist"
        case ConsentCondition() as consent:
            return f"keine {_consent_named(consent)} vorliegt"
        case _:
            return f"nicht zutrifft, dass {clause(condition.not_)}"


def _attribute(condition: AttributeCondition) -> str:
    wanted = _comparison(condition.attribute, condition.is_)
    return f"das Merkmal {quoted(condition.attribute)} des Kontakts {wanted} ist"


def _entry_property(condition: EntryCondition) -> str:
    return f"die Angabe {quoted(condition.entry)} des Einstiegs {_comparison('', condition.is_)} ist"


def _happened(condition: EventCondition) -> str:
    named = event(condition.event, condition.where)
    return f"{_since(condition)}das Ereignis {named}{_times(condition)} eingetreten ist"


def _none(condition: NoneCondition) -> str:
    named = event(condition.none.event, condition.none.where)
    return f"{_since(condition.none)}kein Ereignis {named} eingetreten ist"


def _consent_named(condition: ConsentCondition) -> str:
    return f"Einwilligung in {_PURPOSES[condition.consent.purpose]} {CHANNELS[condition.consent.channel]}"


def _consent(condition: ConsentCondition) -> str:
    return f"die {_consent_named(condition)} vorliegt"


def _in_list(condition: ListCondition) -> str:
    return f"der Kontakt auf der Liste {quoted(condition.in_list)} steht"


def _segment(condition: SegmentCondition) -> str:
    return f"der Kontakt im Segment {quoted(condition.segment)} ist"


def _score(condition: ScoreCondition) -> str:
    bounds = (("mindestens", condition.score.at_least), ("höchstens", condition.score.at_most))
    wanted = listed([f"{word} {bound}" for word, bound in bounds if bound is not None], " und ")
    return f"der Kontakt nach dem Punktemodell {quoted(condition.score.model)} {wanted} Punkte hat"


def _result(condition: ResultCondition) -> str:
    step, result = quoted(condition.result.step), quoted(condition.result.is_)
    return f"der Schritt {step} mit dem Ergebnis {result} geendet hat"


def _step_property(condition: StepCondition) -> str:
    step, name = step_property(condition.step)
    return f"die Angabe {quoted(name)} aus {quoted(step)} {_comparison('', condition.is_)} ist"


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
    "stage": german_stage,
    "entry": _entry_property,
    "result": _result,
    "step": _step_property,
}
"""By kind."""
