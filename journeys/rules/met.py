"""Rules about what earlier steps have met: `$step.paid.amount`, and the condition `{step: paid.amount}`."""

from collections.abc import Iterator

from journeys.conditions.registry import StepCondition
from journeys.findings import Note, error
from journeys.mistakes import nearest
from journeys.model import Journey
from journeys.places import Path
from journeys.step_references import step_property, step_reference
from journeys.steps.registry import Step
from journeys.steps.send import SendStep
from journeys.steps.wait_for import AwaitedEvent, AwaitedFirst, WaitForStep
from journeys.walk import Visit, condition_roots, conditions_in, values, visits


def events_of_earlier_steps(journey: Journey) -> Iterator[Note]:
    """A property of an event can only be taken of a step that may have waited for one before."""
    seen = list(visits(journey))
    known = {visit.step_id for visit in seen}
    for value, path in values(journey):
        if (found := step_reference(value)) is not None:
            visit = _visit_at(seen, path)
            if visit is None or _matched_early(visit, path):
                yield _out_of_place(path, value)
            else:
                yield from _of(visit, found.step, f"`{value}`", path, known)
    for root, root_path, visit in condition_roots(journey):
        for condition, path in conditions_in(root, root_path):
            if isinstance(condition, StepCondition):
                yield from _condition(condition, (*path, "step"), visit, known)


def _condition(condition: StepCondition, path: Path, visit: Visit | None, known: set[str]) -> Iterator[Note]:
    if visit is None:
        yield _out_of_place(path, condition.step)
    else:
        yield from _of(visit, step_property(condition.step).step, f"`{condition.step}`", path, known)


def _visit_at(seen: list[Visit], path: Path) -> Visit | None:
    """The innermost step that a place is in."""
    around = [visit for visit in seen if path[: len(visit.path)] == visit.path]
    return max(around, key=lambda visit: len(visit.path), default=None)


def _matched_early(visit: Visit, path: Path) -> bool:
    """Whether it is part of what events are matched with, from the entry on."""
    if isinstance(visit.step, SendStep):
        return False
    below = path[len(visit.path) :]
    return any(below[: len(where)] == where for where in visit.step.wheres())


def _of(visit: Visit, step_id: str, written: str, path: Path, known: set[str]) -> Iterator[Note]:
    earlier = visit.earlier.get(step_id)
    if step_id not in known:
        meant = nearest(step_id, sorted(known))
        remedy = f"Did you mean '{meant}'?" if meant else "Give the step you mean this `id`."
        yield error("step-reference-to-nothing", path, f"{written}: there is no step '{step_id}'.", remedy)
    elif earlier is None:
        what = f"{written}: the step '{step_id}' has never run when this is asked."
        yield error("step-reference-to-nothing", path, what, "Name an earlier step on this way.")
    elif not _meets_events(earlier):
        what = f"{written}: the step '{step_id}' waits for no event."
        yield error("step-reference-to-nothing", path, what, "Name a `wait_for` of an event.")


def _meets_events(step: Step) -> bool:
    if not isinstance(step, WaitForStep):
        return False
    match step.wait_for:
        case AwaitedFirst(first_of=alternatives):
            return any(one.asked() is None for one in alternatives)
        case awaited:
            return isinstance(awaited, AwaitedEvent)


def _out_of_place(path: Path, written: str) -> Note:
    what = f"`{written}` is not known when events are matched, which they are from the entry on."
    remedy = "Compare with a plain value or $entry, or ask in an `if` behind the step."
    return error("step-reference-out-of-place", path, what, remedy)
