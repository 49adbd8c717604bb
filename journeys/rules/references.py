"""Rules about what a journey refers to: results of its steps, and properties of the entry."""

import re
from collections.abc import Iterator

from journeys.conditions.event import EventPattern
from journeys.conditions.registry import Condition, EntryCondition, NoneCondition, ResultCondition
from journeys.entries import TimedEntry
from journeys.findings import Note, error, warning
from journeys.mistakes import nearest
from journeys.model import Journey
from journeys.places import Path
from journeys.tasks import named_in, not_filled_in
from journeys.values import entry_reference, is_step_reference
from journeys.walk import Visit, condition_roots, conditions_in, values, visits

_MEANT_AS_REFERENCE = re.compile(r"^\$\{?\s*(entry|step\b|[A-Za-z_]+\.)")


def results_of_steps(journey: Journey) -> Iterator[Note]:
    """A result can only be asked of a step that may have run before, and only words it can end with."""
    known = {visit.step_id for visit in visits(journey)}
    for root, root_path, visit in condition_roots(journey):
        for condition, path in conditions_in(root, root_path):
            if isinstance(condition, ResultCondition):
                yield from _result(condition, (*path, "result"), visit, known)


def _result(condition: ResultCondition, path: Path, visit: Visit | None, known: set[str]) -> Iterator[Note]:
    name, word = condition.result.step, condition.result.is_
    if visit is None:
        yield error("result-at-entry", path, *_out_of_place(path, name))
    elif name not in known:
        meant = nearest(name, sorted(known))
        remedy = f"Did you mean '{meant}'?" if meant else "Give the step you mean this `id`."
        yield error("result-of-unknown-step", (*path, "step"), f"There is no step '{name}'.", remedy)
    elif name not in visit.earlier:
        what = f"The step '{name}' has never run when this is asked."
        yield error("result-of-later-step", (*path, "step"), what, "Ask for the result of an earlier step on this way.")
    else:
        yield from _word(visit, path, name, word)


def _out_of_place(path: Path, name: str) -> tuple[str, str]:
    """Why no step's result is known there, and what to do instead."""
    if path[0] == "exit_when":
        what = f"The exit condition asks for the result of '{name}', but it is judged whatever steps have run."
        return what, "Ask in an `if` behind that step, and leave by an `exit` step."
    what = f"The audience asks for the result of '{name}', but at entry no step has run."
    return what, "Ask in an `if` behind that step."


def _word(visit: Visit, path: Path, name: str, word: str) -> Iterator[Note]:
    step = visit.earlier[name]
    if word in step.words():
        return
    if not step.words():
        what, remedy = f"A `{step.kind}` step has no result.", "Ask for the result of a step that has one."
    else:
        what = f"The step '{name}' never ends with '{word}'."
        remedy = f"Results of `{step.kind}`: {', '.join(step.words())}."
    yield error("impossible-result", (*path, "is"), what, remedy)


def entry_references(journey: Journey) -> Iterator[Note]:
    """`$entry.x` is written so, and stands where an enrollment exists and an event started it."""
    for value, path in values(journey):
        if (name := entry_reference(value)) is not None:
            yield from _reference(journey, path, f"`{value}`", name)
        elif isinstance(value, str) and _MEANT_AS_REFERENCE.match(value) and not is_step_reference(value):
            yield _malformed(path, value)
    yield from _in_texts(journey)
    for root, root_path, _ in condition_roots(journey):
        for condition, path in conditions_in(root, root_path):
            if isinstance(condition, EntryCondition):
                yield from _reference(journey, (*path, "entry"), f"`entry: {condition.entry}`", condition.entry)


def _in_texts(journey: Journey) -> Iterator[Note]:
    for visit in visits(journey):
        for below, text in visit.step.texts().items():
            for name in named_in(text):
                yield from _reference(journey, (*visit.path, *below), f"`$entry.{name}`", name)
            for written in not_filled_in(text):
                what = f"'{written}' is not filled in here, so people would read it as it stands."
                remedy = "Texts know properties of the entry, such as $entry.order_id."
                yield error("malformed-reference", (*visit.path, *below), what, remedy)


def _reference(journey: Journey, path: Path, written: str, name: str) -> Iterator[Note]:
    if path[:1] == ("entry",) and "where" in path[1:3]:
        what = f"{written} stands for a property of the entry event, which is the one looked at here."
        yield error("entry-refers-to-itself", path, what, "Compare with a plain value.")
    elif journey.entry.trigger is None:
        what = f"{written} takes a property of the entry event, but contacts enter through the API only."
        remedy = "Name the entry `event`, or give the property with every enrollment over the API."
        yield warning("entry-without-event", path, what, remedy)
    elif journey.entry.timed is not None:
        yield from _given(journey.entry.timed, path, written, name)


def _given(timed: TimedEntry, path: Path, written: str, name: str) -> Iterator[Note]:
    if name.partition(".")[0] not in timed.given:
        what = f"{written} takes a property that an entry by `{timed.key}` does not have."
        yield warning("entry-property-unknown", path, what, f"It has: {', '.join(sorted(timed.given))}.")


def _malformed(path: Path, value: str) -> Note:
    if value.startswith("$entry"):
        what = f"{value!r} looks like a reference and is none, so it is compared as it stands."
        return error("malformed-reference", path, what, "Write it like $entry.product_id.")
    if value.startswith("$step"):
        what = f"{value!r} looks like a reference and is none, so it is compared as it stands."
        return error("malformed-reference", path, what, "Write it like $step.paid.amount.")
    what = f"{value!r} looks like a reference, but only $entry and $step exist; it is compared as it stands."
    return warning("unknown-reference", path, what, "Write $entry.name, $step.id.name, or a plain value.")


def no_step_yet(journey: Journey) -> Iterator[Note]:
    """In the audience and in the exit condition there is no step to count from."""
    for root, root_path, visit in condition_roots(journey):
        for condition, path in conditions_in(root, root_path) if visit is None else ():
            if (pattern := _pattern(condition)) is not None and pattern.since == "step":
                what = "`since: step` has no meaning at entry; everything counts."
                if root_path[0] == "exit_when":
                    what = "`since: step` has no meaning in an exit condition; everything since the entry counts."
                yield warning("since-step-at-entry", path, what, "Remove it, or limit the time with `within`.")


def _pattern(condition: Condition) -> EventPattern | None:
    if isinstance(condition, NoneCondition):
        return condition.none
    return condition if isinstance(condition, EventPattern) else None
