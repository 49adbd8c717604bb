"""Points models: which events give how many points, and the thresholds a score may cross. Pure.

A score is a fold over the contact's stored events and the sum of the entries it keeps, always. Storing is in
`crm.scoring`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from journeys.conditions.base import EventFact
from journeys.conditions.comparison import matches
from journeys.duration import Duration
from journeys.refusals import refused, shown
from journeys.values import Comparison, EventName, Key, Strict, Where, Whole, entry_reference
from kit.errors import Invalid

SCORE_GIVEN = "score.given"
"""The event that a journey gave points: properties `model`, `points`, `reason`. Its entries bear this as rule."""
MOST_POINTS = 1_000_000


class Limit(Strict):
    """At most so many times; `within`, where given, is a span that moves along: at most so many in any such span."""

    times: Whole = Field(ge=1)
    within: Duration | None = None


def _once(value: Any) -> Any:
    if value == "once":
        return Limit(times=1)
    if isinstance(value, str):
        raise refused(f"{shown(value)} is no limit.", "Write once, or for example {times: 3, within: 30d}.")
    return value


Limited = Annotated[Limit, BeforeValidator(_once, json_schema_input_type=Literal["once"] | Limit)]
"""A limit; `once` is `{times: 1}`."""


class PointsRule(Strict):
    """Points for each event that matches; negative ones take away."""

    key: Key
    event: EventName
    where: Where = Field(default_factory=dict)
    points: Whole = Field(ge=-MOST_POINTS, le=MOST_POINTS)
    limit: Limited | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> PointsRule:
        if self.points == 0:
            raise refused("a rule of 0 points changes nothing.", "Give points, or remove the rule.")
        if any(entry_reference(value) for asked in self.where.values() for value in _values(asked)):
            raise refused("a points rule knows no entry.", "Compare with a plain value instead of `$entry`.")
        return self


class Threshold(Strict):
    """Points that mean something; rising to them is the event `score.crossed`.

    With `again_below` a score that has risen to them must fall below that before it can rise to them again.
    """

    key: Key
    points: Whole
    again_below: Whole | None = None

    @model_validator(mode="after")
    def _below_the_points(self) -> Threshold:
        if self.again_below is not None and self.again_below > self.points:
            raise refused(
                f"a score of {self.points} points would be below {self.again_below} already.",
                f"Write at most {self.points}.",
            )
        return self

    def holds(self, points: int, *, reached: bool) -> bool:
        """Whether a score of so many points counts as risen to it; `reached`: whether it did before it came to them."""
        lowest = self.points if self.again_below is None or not reached else self.again_below
        return points >= lowest


class PointsModel(Strict):
    """A points model. A published version of it never changes."""

    key: Key
    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: str = ""
    rules: tuple[PointsRule, ...] = Field(min_length=1, max_length=200)
    thresholds: tuple[Threshold, ...] = Field(default=(), max_length=50)

    @model_validator(mode="after")
    def _keys_are_unique(self) -> PointsModel:
        for name, keys in (("rules", [r.key for r in self.rules]), ("thresholds", [t.key for t in self.thresholds])):
            if twice := sorted({key for key in keys if keys.count(key) > 1}):
                raise refused(f"two {name} have the key '{twice[0]}'.", "Give each its own key.")
        return self

    @property
    def events(self) -> frozenset[str]:
        """Names of the events that may give points."""
        return frozenset(rule.event for rule in self.rules) | {SCORE_GIVEN}

    def concerns(self, event: str, properties: Mapping[str, Any]) -> bool:
        """Whether an event may give points; points that were given under another model do not."""
        if event == SCORE_GIVEN and properties.get("model") != self.key:
            return any(rule.event == SCORE_GIVEN for rule in self.rules)
        return event in self.events


def _values(asked: Any) -> tuple[Any, ...]:
    if not isinstance(asked, Comparison):
        return (asked,)
    return (asked.equals, asked.not_equals, *(asked.one_of or ()))


@dataclass(frozen=True)
class Award:
    """Points one rule gave for one event: a reason of the score."""

    rule: str
    event_id: str
    points: int
    occurred_at: datetime


@dataclass(frozen=True)
class Unusable:
    """An event a rule could not judge, with the reason (no personal data). It gave no points by that rule."""

    rule: str
    event_id: str
    because: str


@dataclass(frozen=True)
class Score:
    """Points with their reasons: `points` is the sum of `entries`."""

    points: int
    entries: tuple[Award, ...] = ()
    unusable: tuple[Unusable, ...] = ()


def fold(model: PointsModel, events: Iterable[EventFact]) -> Score:
    """The score of these events under the model. Their order does not matter, and an event id counts once."""
    awards: list[Award] = []
    unusable: list[Unusable] = []
    for event in _in_order(events):
        given, failed = award(model, event, awards)
        awards += given
        unusable += failed
    return Score(sum(entry.points for entry in awards), tuple(awards), tuple(unusable))


def award(
    model: PointsModel, event: EventFact, earlier: Sequence[Award]
) -> tuple[tuple[Award, ...], tuple[Unusable, ...]]:
    """What one event gives, after the awards for all events before it; and the rules that could not judge it."""
    awards, unusable = _given(model, event)
    for rule in model.rules:
        try:
            gives = rule.event == event.name and matches(rule.where, event.properties, {})
        except Invalid as error:
            unusable.append(Unusable(rule.key, event.event_id, error.message))
            continue
        if gives and not _used_up(rule, event.occurred_at, earlier):
            awards.append(Award(rule.key, event.event_id, rule.points, event.occurred_at))
    return tuple(awards), tuple(unusable)


def _given(model: PointsModel, event: EventFact) -> tuple[list[Award], list[Unusable]]:
    """The points that a journey gave by this event."""
    if event.name != SCORE_GIVEN or event.properties.get("model") != model.key:
        return [], []
    points = event.properties.get("points")
    if not isinstance(points, int) or isinstance(points, bool) or not 0 < abs(points) <= MOST_POINTS:
        return [], [Unusable(SCORE_GIVEN, event.event_id, "its points are no usable number")]
    return [Award(SCORE_GIVEN, event.event_id, points, event.occurred_at)], []


def _used_up(rule: PointsRule, at: datetime, earlier: Sequence[Award]) -> bool:
    if rule.limit is None:
        return False
    moments = [entry.occurred_at for entry in earlier if entry.rule == rule.key]
    if rule.limit.within is not None:
        moments = [moment for moment in moments if moment > at - rule.limit.within]
    return len(moments) >= rule.limit.times


def _in_order(events: Iterable[EventFact]) -> list[EventFact]:
    """By occurrence, then by id, each id once; events without an id are all different."""
    ordered = sorted(events, key=lambda event: (event.occurred_at, event.event_id))
    seen: set[str] = set()
    kept = []
    for event in ordered:
        if event.event_id and event.event_id in seen:
            continue
        seen.add(event.event_id)
        kept.append(event)
    return kept


def reached(points: int, thresholds: Iterable[Threshold], before: Collection[str] = ()) -> frozenset[str]:
    """Keys of the thresholds a score of so many points has risen to and not fallen back from.

    `before` are those of which that was so before it came to these points; the others need all of their points.
    """
    return frozenset(one.key for one in thresholds if one.holds(points, reached=one.key in before))


def crossed(
    before: int, after: int, thresholds: Sequence[Threshold], had_reached: Collection[str] = ()
) -> tuple[str, ...]:
    """Keys of the thresholds risen to: not reached with the points before, reached after; the lowest first.

    Falling crosses nothing. `had_reached` are those the score had risen to when it came to the points before.
    """
    standing = reached(before, thresholds, had_reached)
    risen = [one for one in thresholds if one.key not in standing and one.holds(after, reached=False)]
    return tuple(threshold.key for threshold in sorted(risen, key=lambda threshold: (threshold.points, threshold.key)))
