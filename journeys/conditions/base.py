"""What every condition kind has: it says which facts it needs, and judges them. Pure; nothing is looked up here."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from journeys.stages import Stage
from journeys.values import ConsentRequirement, Strict


@dataclass(frozen=True)
class EventFact:
    """One event of the contact. `occurred_at` is aware."""

    name: str
    occurred_at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)
    event_id: str = ""
    sequence: int | None = None
    """Its place in the log, where it is known."""


@dataclass(frozen=True)
class Facts:
    """What is known of one contact at `now`, as far as a condition needs it. Datetimes are aware.

    `events` holds the events whose names the condition needs. `entered_at` is the *occurrence* of this enrollment's
    entry; `step_since` the moment the judging step was reached. Before an enrollment exists both are None and
    `since: entry` counts everything.
    """

    now: datetime
    attributes: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[EventFact] = ()
    lists: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    consents: frozenset[tuple[str, str]] = frozenset()
    """Standing consents as (purpose, channel)."""
    scores: Mapping[str, int] = field(default_factory=dict)
    stage: Stage = Stage.VISITOR
    entry: Mapping[str, Any] = field(default_factory=dict)
    entry_event_id: str = ""
    """Id of the event this enrollment started with, so that it is not taken for a second one of its kind."""
    entry_sequence: int = 0
    """Its place in the log: of what occurred at its very instant, only what stands behind it there follows it."""
    enrollment: str = ""
    """Id of the enrollment, so that it knows its own tasks."""
    results: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By earlier step, the properties of the event it met."""
    entered_at: datetime | None = None
    step_since: datetime | None = None


@dataclass(frozen=True)
class Needs:
    """Which facts must be loaded to judge a condition."""

    events: frozenset[str] = frozenset()
    score_models: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    """Paths into the contact's record, which is read in any case."""
    lists: bool = False
    consents: bool = False
    stage: bool = False
    segments: frozenset[str] = frozenset()
    """Keys of the segments whose members must be known."""

    def __or__(self, other: Needs) -> Needs:
        return Needs(
            self.events | other.events,
            self.score_models | other.score_models,
            self.attributes | other.attributes,
            self.lists or other.lists,
            self.consents or other.consents,
            self.stage or other.stage,
            self.segments | other.segments,
        )

    @staticmethod
    def union(several: Iterable[Needs]) -> Needs:
        """What all of them need together."""
        together = Needs()
        for needs in several:
            together |= needs
        return together


class Verdict(BaseModel, frozen=True):
    """Whether a condition holds, and because of what, in a sentence without personal data (names, counts, dates)."""

    holds: bool
    because: str
    cause_event_id: str | None = None


class BaseCondition(Strict):
    """A node of the condition tree."""

    @abstractmethod
    def needs(self) -> Needs:
        """The facts that `judge` will look at."""

    @abstractmethod
    def judge(self, facts: Facts) -> Verdict:
        """Whether it holds for these facts. Raises `kit.errors.Invalid` where values cannot be compared."""

    def changes_at(self, facts: Facts) -> datetime | None:  # noqa: ARG002 -- only kinds that count time do so
        """When time alone may change the verdict on these facts, aware and after `now`; None where it cannot."""
        return None

    @abstractmethod
    def describe(self) -> str:
        """The condition in plain words, with the values its author wrote."""


LONGEST_REASON = 500


def joined(verdicts: Sequence[Verdict], *, otherwise: str) -> str:
    """The reasons of several verdicts as one sentence of bounded length; `otherwise` where there are none."""
    text = "; and ".join(verdict.because for verdict in verdicts) or otherwise
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """The earliest of the moments there are."""
    return min((moment for moment in moments if moment is not None), default=None)


def instant(moment: datetime) -> str:
    """A moment for a reason: minutes, UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


__all__ = [
    "BaseCondition",
    "ConsentRequirement",
    "EventFact",
    "Facts",
    "Needs",
    "Verdict",
    "earliest",
    "instant",
    "joined",
]
