"""What a language needs to have words for, so that a journey can be read in it. Each language is one module here.

Kinds of steps, conditions and timed entries are named as journeys write them; a test demands words for every kind in
every language, so a new kind is one function and one line per language.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from journeys.conditions.registry import Condition, condition_kind
from journeys.model import Again, Goal, Journey
from journeys.places import Path
from journeys.stages import Stage
from journeys.steps.base import BaseStep
from journeys.values import EventCriterion, Where
from journeys.window import Window

Words = Callable[[Any], str]


class Language(StrEnum):
    """A language journeys can be read in."""

    GERMAN = "de"
    ENGLISH = "en"


@dataclass(frozen=True)
class Wording:
    """The words of a language. Sentences come without a full stop, clauses fit behind "if", conditions are clauses."""

    steps: Mapping[str, Words]
    """What a step does, by its kind."""
    ways: Mapping[str, Callable[[Any, Path], str]]
    """When the nested sequence at a path is entered, by the kind of the step it is in."""
    conditions: Mapping[str, Words]
    """A condition as a clause, by its kind."""
    timed: Mapping[str, Words]
    """How contacts get in by an entry that time brings about, by its key."""
    enters: Callable[[EventCriterion], str]
    """How contacts get in by an event."""
    submits: Callable[[str, Where], str]
    """How contacts get in by a form, with what is asked of it."""
    asked_in: str
    """How contacts get in through the API only."""
    provided: Callable[[str], str]
    """The condition (a clause) under which they get in."""
    retried: Words
    """That this condition is asked again for a duration, where it does not hold yet."""
    again: Callable[[Again], str]
    at_most: Callable[[int], str]
    """That so many enter in all."""
    goal: Callable[[Goal], str]
    leaves: Callable[[EventCriterion], str]
    leaves_when: Callable[[str], str]
    """That a contact leaves as soon as a condition (a clause) holds."""
    at_home: Callable[[str], str]
    """In which time zone contacts live that have none of their own."""
    window: Callable[[Window], str]
    frequency: Callable[[Journey], Iterable[str]]
    """What becomes of its messages at the frequency cap; nothing where it is as usual."""
    filed: Callable[[Sequence[Stage]], str]
    """Which lifecycle stages it is for."""
    held_out: Callable[[int], str]
    """That so many percent of the contacts get no message, for comparison."""
    of_use: Words
    """That a step is left out where it comes later than this duration after its time."""
    answers: Callable[[str], str]
    """Who answers for the journey."""
    go_on: str
    """What is done on a way without steps."""
    steps_title: str
    complete: str
    after_goal_title: str
    """Above the steps for whoever has met the goal."""
    goal_complete: str

    def step(self, step: BaseStep) -> str:
        """What a step does, without what is nested in it."""
        return self.steps[step.kind](step)

    def way(self, step: BaseStep, path: Path) -> str:
        """When the sequence nested in a step at this path is entered."""
        return self.ways[step.kind](step, path)

    def clause(self, condition: Condition) -> str:
        """A condition, to stand behind "if"."""
        kind = condition_kind(condition)
        assert kind is not None  # every condition has one
        return self.conditions[kind](condition)
