"""What checks say of a journey: findings with a rule, a severity, a path, and two sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from journeys.places import Path, Places
from kit.errors import Problem


class Severity(StrEnum):
    """An error forbids publishing; a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


class KnownTemplate(NamedTuple):
    """What checks know of a template: its class, and the variables it cannot do without (`entry.product_id`)."""

    message_class: str
    required: frozenset[str] = frozenset()


KnownTemplates = Mapping[str, KnownTemplate]
"""The published templates by key."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or doubtful, with the name of the rule that found it."""

    severity: Severity
    problem: Problem
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.severity}: {self.problem}"


@dataclass(frozen=True)
class Note:
    """A finding as its rule writes it; the place is still a path."""

    rule: str
    severity: Severity
    path: Path
    what: str
    remedy: str

    def at(self, places: Places) -> Finding:
        """The finding with its place for people."""
        return Finding(self.severity, Problem(places(self.path), self.what, self.remedy), self.rule)


def error(rule: str, path: Path, what: str, remedy: str) -> Note:
    """A note that forbids publishing."""
    return Note(rule, Severity.ERROR, path, what, remedy)


def warning(rule: str, path: Path, what: str, remedy: str) -> Note:
    """A note that is shown."""
    return Note(rule, Severity.WARNING, path, what, remedy)
