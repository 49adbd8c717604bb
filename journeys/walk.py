"""Ways through a journey for checks: every step with what may have run before it, every condition, every value."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from journeys.conditions.registry import (
    All,
    AnyOf,
    AttributeCondition,
    Condition,
    EntryCondition,
    EventCondition,
    NoneCondition,
    Not,
)
from journeys.model import Journey
from journeys.places import Path
from journeys.plan import named
from journeys.steps.leave import ExitStep
from journeys.steps.registry import Step
from journeys.values import Comparison, Where


@dataclass(frozen=True)
class Visit:
    """A step as met on the way: its id (given or derived), where it stands, and what may have run before."""

    step: Step
    step_id: str
    path: Path
    depth: int
    reachable: bool
    earlier: Mapping[str, Step]


def visits(journey: Journey) -> Iterator[Visit]:
    """Every step in document order, those behind a met goal last."""
    usual, after_goal = named(journey)
    yield from _sequence(usual, Visit(usual[0], "", ("steps",), 1, True, {}))  # noqa: FBT003
    if after_goal:  # whoever is pulled there may have come from anywhere
        before = {step.id: step for first in usual for step in (first, *all_inside(first)) if step.id}
        yield from _sequence(after_goal, Visit(after_goal[0], "", ("goal", "then"), 1, True, before))  # noqa: FBT003


def _sequence(steps: Sequence[Step], frame: Visit) -> Iterator[Visit]:
    """The steps of one list. `frame` holds the list's path and what is so at its start."""
    earlier, reachable = dict(frame.earlier), frame.reachable
    for number, step in enumerate(steps):
        inner = {one.id: one for one in all_inside(step) if one.id}
        before = earlier | inner if step.loops() else earlier  # an earlier round may have run them
        visit = Visit(step, step.id or "", (*frame.path, number), frame.depth, reachable, before)
        yield visit
        within = {**before, visit.step_id: step}
        for path, nested in step.nested().items():
            inside = Visit(step, "", (*visit.path, *path), frame.depth + 1, reachable, within)
            yield from _sequence(nested, inside)
        earlier = within | inner
        reachable = reachable and not ends(step)


def ends(step: Step) -> bool:
    """Whether no way leads past the step."""
    branches = list(step.nested().values())
    leaving = bool(branches) and all(any(map(ends, branch)) for branch in branches)
    return isinstance(step, ExitStep) or (leaving and not step.may_pass_by())


def all_inside(step: Step) -> Iterator[Step]:
    """Every step within this one, at any depth."""
    for nested in step.nested().values():
        for inner in nested:
            yield inner
            yield from all_inside(inner)


def condition_roots(journey: Journey) -> Iterator[tuple[Condition, Path, Visit | None]]:
    """The conditions a journey asks: the audience and the exit condition (of no step), and those of its steps."""
    if journey.entry.audience is not None:
        yield journey.entry.audience, ("entry", "audience"), None
    if journey.exit_when is not None:
        yield journey.exit_when, ("exit_when",), None
    for visit in visits(journey):
        for path, condition in visit.step.asked().items():
            yield condition, (*visit.path, *path), visit


def conditions_in(condition: Condition, path: Path) -> Iterator[tuple[Condition, Path]]:
    """The condition and all conditions inside it."""
    yield condition, path
    match condition:
        case All():
            inner = [(one, (*path, "all", number)) for number, one in enumerate(condition.all)]
        case AnyOf():
            inner = [(one, (*path, "any", number)) for number, one in enumerate(condition.any)]
        case Not():
            inner = [(condition.not_, (*path, "not"))]
        case _:
            inner = []
    for one, where in inner:
        yield from conditions_in(one, where)


def comparisons(journey: Journey) -> Iterator[tuple[Any, Path]]:
    """Everything a property is compared with: plain values and comparisons."""
    for where, path in _wheres(journey):
        yield from ((asked, (*path, name)) for name, asked in where.items())
    for root, root_path, _ in condition_roots(journey):
        for condition, path in conditions_in(root, root_path):
            if isinstance(condition, AttributeCondition | EntryCondition):
                yield condition.is_, (*path, "is")


def values(journey: Journey) -> Iterator[tuple[Any, Path]]:
    """Every single value that may be a reference such as `$entry.x`: those compared with, those handed on."""
    for asked, path in comparisons(journey):
        if isinstance(asked, Comparison):
            yield from _operands(asked, path)
        else:
            yield asked, path
    for visit in visits(journey):
        yield from ((value, (*visit.path, *path)) for path, value in visit.step.written().items())


def _operands(comparison: Comparison, path: Path) -> Iterator[tuple[Any, Path]]:
    for name, value in comparison.operators().items():
        if name == "one_of":
            yield from ((choice, (*path, name, number)) for number, choice in enumerate(value))
        else:
            yield value, (*path, name)


def _wheres(journey: Journey) -> Iterator[tuple[Where, Path]]:
    yield journey.entry.where, ("entry", "where")
    if timed := journey.entry.timed:
        yield from ((where, ("entry", *path)) for path, where in timed.wheres().items())
    if journey.goal:
        yield journey.goal.where, ("goal", "where")
    yield from ((criterion.where, ("exit", number, "where")) for number, criterion in enumerate(journey.exit))
    for visit in visits(journey):
        yield from ((where, (*visit.path, *path)) for path, where in visit.step.wheres().items())
    for root, root_path, _ in condition_roots(journey):
        for condition, path in conditions_in(root, root_path):
            match condition:
                case EventCondition():
                    yield condition.where, (*path, "where")
                case NoneCondition():
                    yield condition.none.where, (*path, "none", "where")
