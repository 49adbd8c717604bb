"""Rules about the spans of time a journey names."""

from collections.abc import Iterator
from datetime import timedelta

from journeys.conditions.event import EventPattern
from journeys.conditions.registry import Condition, NoneCondition
from journeys.findings import Note, error
from journeys.model import Cooldown, Journey
from journeys.places import Path
from journeys.walk import condition_roots, conditions_in, visits

_Spans = Iterator[tuple[Path, timedelta]]


def no_time_at_all(journey: Journey) -> Iterator[Note]:
    """A span of zero is a mistake: a missing number, or something that should not be there."""
    for path, duration in (*_getting_in_and_out(journey), *_of_steps(journey), *_of_conditions(journey)):
        if duration <= timedelta():
            yield error("no-time", path, "This is no time at all.", "Write how long, such as 1d, or remove it.")


def _getting_in_and_out(journey: Journey) -> _Spans:
    goal, entry = journey.goal, journey.entry
    if goal and goal.within is not None:
        yield ("goal", "within"), goal.within
    if goal and isinstance(goal.met_before, timedelta):
        yield ("goal", "met_before"), goal.met_before
    if isinstance(entry.again, Cooldown):
        yield ("entry", "again", "cooldown"), entry.again.cooldown
    if entry.retry is not None:
        yield ("entry", "retry"), entry.retry
    if entry.timed:
        yield from ((("entry", *path), duration) for path, duration in entry.timed.durations().items())


def _of_steps(journey: Journey) -> _Spans:
    for visit in visits(journey):
        if visit.step.expires_after is not None:
            yield (*visit.path, "expires_after"), visit.step.expires_after
        yield from (((*visit.path, *path), duration) for path, duration in visit.step.durations().items())


def _of_conditions(journey: Journey) -> _Spans:
    for root, root_path, _ in condition_roots(journey):
        for condition, path in conditions_in(root, root_path):
            pattern, below = _pattern(condition)
            if pattern is not None and pattern.within is not None:
                yield (*path, *below, "within"), pattern.within


def _pattern(condition: Condition) -> tuple[EventPattern | None, Path]:
    """The events a condition asks for, and where they are written below it."""
    if isinstance(condition, NoneCondition):
        return condition.none, ("none",)
    return (condition, ()) if isinstance(condition, EventPattern) else (None, ())
