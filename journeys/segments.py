"""Segments: a condition with a name, asked of every contact. Pure; who is in one is kept in `crm.segments`."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any

from pydantic import Field

from journeys.changes import SCORE_CHANGED, Change, changes
from journeys.conditions.comparison import operands
from journeys.conditions.outside import outside
from journeys.conditions.registry import (
    AttributeCondition,
    Condition,
    EntryCondition,
    EventCondition,
    NoneCondition,
    ResultCondition,
    ScoreCondition,
    SegmentCondition,
    StepCondition,
)
from journeys.mistakes import nearest
from journeys.model import Journey
from journeys.places import Path, Places
from journeys.plan import Role, compile_plan
from journeys.segment_entry import ENTERED, LEFT
from journeys.values import Asked, Key, Strict, entry_reference, is_step_reference
from journeys.walk import condition_roots, conditions_in
from kit.errors import Invalid, Problem

MOST_PARTS = 50
"""So many conditions a segment may be made of."""


class Backfill(StrEnum):
    """Whether journeys are told of those a new definition finds, or no longer finds."""

    NONE = "none"
    MATCHING = "matching"


class Segment(Strict):
    """A segment as its author writes it."""

    key: Key = Field(description="What the segment is called in conditions and entries.")
    name: Annotated[str, Field(min_length=1, max_length=200, description="The segment's name for people.")]
    description: str = Field(default="", max_length=5_000, description="Whom it is to hold, in sentences.")
    condition: Condition = Field(description="Who is in it.")

    def in_words(self) -> str:
        """Who is in it, in plain words."""
        return outside(self.condition).describe()


def demand_askable(condition: Condition, *, places: Places | None = None, root: Path = ("condition",)) -> None:
    """Raises where a condition cannot be asked of a set of contacts.

    Raises:
        kit.errors.Invalid: with a problem for each part that only an enrollment has an answer to.
    """
    places = places or Places()
    problems = [Problem(places(path), what, remedy) for path, what, remedy in _obstacles(condition, root)]
    if problems:
        raise Invalid(f"This condition cannot be asked of a set of contacts. {problems[0]}", problems=problems)


def _obstacles(condition: Condition, root: Path) -> Iterator[tuple[Path, str, str]]:
    parts = list(conditions_in(condition, root))
    if len(parts) > MOST_PARTS:
        yield root, f"It has {len(parts)} parts; at most {MOST_PARTS} are allowed.", "Make several segments of it."
    for part, path in parts:
        if (kind := _INSIDE_ONLY.get(type(part))) is not None:
            what = f"`{kind}` is of somebody inside a journey, and a set of contacts is in none."
            yield (*path, kind), what, "Ask for an attribute or for events."
        for asked, at in _comparisons(part, path):
            if any(entry_reference(value) is not None for value in operands(asked)):
                yield at, "`$entry` stands for what a journey began with, and here none has.", "Write the value itself."
            if any(is_step_reference(value) for value in operands(asked)):
                yield at, "`$step` stands for what a step has met, and here none has.", "Write the value itself."


_INSIDE_ONLY: Mapping[type, str] = {EntryCondition: "entry", ResultCondition: "result", StepCondition: "step"}
"""What can be asked only of somebody inside a journey."""


def demand_known(
    condition: Condition,
    *,
    segments: Collection[str],
    models: Collection[str],
    places: Places | None = None,
    root: Path = ("condition",),
) -> None:
    """Raises where a condition asks for a segment or a points model that is not among these.

    Raises:
        kit.errors.Invalid: with a problem for each; nobody would ever be in such a segment, and nobody be told why.
    """
    places = places or Places()
    problems = [Problem(places(path), *words) for path, *words in _unknown(condition, root, segments, models)]
    if problems:
        raise Invalid(problems[0].what, problems=problems, remedy=problems[0].remedy)


def _unknown(
    condition: Condition, root: Path, segments: Collection[str], models: Collection[str]
) -> Iterator[tuple[Path, str, str]]:
    below: Path
    for part, path in conditions_in(condition, root):
        match part:
            case SegmentCondition(segment=key) if key not in segments:
                meant, otherwise = nearest(key, sorted(segments)), "Define it first, or look at the list of segments."
                what, below = f"There is no segment '{key}'.", ("segment",)
            case ScoreCondition(score=asked) if asked.model not in models:
                meant, otherwise = nearest(asked.model, sorted(models)), "Publish it first, or name another one."
                what, below = f"There is no points model '{asked.model}'.", ("score", "model")
            case _:
                continue
        yield (*path, *below), what, f"Did you mean '{meant}'?" if meant else otherwise


def in_order(segments: Iterable[Segment]) -> list[Segment]:
    """The segments, those that others ask for first.

    Raises:
        kit.errors.Invalid: they ask for one another in a circle.
    """
    by_key = {segment.key: segment for segment in sorted(segments, key=lambda segment: segment.key)}
    asks = {key: sorted(segment.condition.needs().segments) for key, segment in by_key.items()}
    try:
        return [by_key[key] for key in TopologicalSorter(asks).static_order() if key in by_key]
    except CycleError as error:
        what = f"The segments ask for one another: {' → '.join(error.args[1])}."
        problem = Problem("condition", what, "Let one of them ask for something else.")
        raise Invalid(what, problems=[problem], remedy=problem.remedy) from error


def segments_of(journey: Journey) -> Iterator[tuple[str, Path]]:
    """The segments a journey names, each with a place where it does: its entry, its conditions, its events."""
    if (entry := journey.entry.segment) is not None:
        yield entry.segment, ("entry", "segment", "entered" if entry.entered else "left")
    for root, root_path, _ in condition_roots(journey):
        for condition, path in conditions_in(root, root_path):
            if isinstance(condition, SegmentCondition):
                yield condition.segment, (*path, "segment")
    for criterion in compile_plan(journey, version=1).criteria.values():
        named = criterion.where.get("segment")
        if criterion.event in (ENTERED, LEFT) and isinstance(named, str) and entry_reference(named) is None:
            yield named, (_PLACES.get(criterion.role, "steps"),)


_PLACES = {Role.GOAL: "goal", Role.EXIT: "exit"}


def touched_by(condition: Condition, name: str, properties: Mapping[str, Any], *, scored: bool) -> bool:
    """Whether an event of this name may change what the condition says. `scored`: whether points are given for it."""
    return any(
        change.event in (name, SCORE_CHANGED if scored else name) and _names_one(change, properties)
        for change in changes(condition.needs())
    )


def _names_one(change: Change, properties: Mapping[str, Any]) -> bool:
    if not change.attributes:
        return True
    named = properties.get("changed")
    return isinstance(named, list) and any(attribute in named for attribute in change.attributes)


def _comparisons(part: Condition, path: Path) -> Iterator[tuple[Asked, Path]]:
    match part:
        case AttributeCondition():
            yield part.is_, (*path, "is")
        case EventCondition():
            yield from ((asked, (*path, "where", name)) for name, asked in part.where.items())
        case NoneCondition():
            yield from ((asked, (*path, "none", "where", name)) for name, asked in part.none.where.items())
