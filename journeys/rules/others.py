"""Rules about what a journey refers to outside of itself: other journeys, points models, their thresholds."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from journeys.conditions.event import EventPattern
from journeys.conditions.registry import NoneCondition, ScoreCondition
from journeys.findings import Note, Severity, error
from journeys.mistakes import nearest
from journeys.model import Journey
from journeys.places import Path
from journeys.plan import compile_plan
from journeys.rules.messages import voucher_pools
from journeys.rules.segments import unknown_segments
from journeys.scoring import PointsModel
from journeys.steps.give_points import ScoreStep
from journeys.steps.recompute_score import SCORE_CROSSED, RecomputeScoreStep
from journeys.steps.start import StartStep
from journeys.values import GOAL_MET, JOURNEY_COMPLETED, JOURNEY_EXITED, Where, entry_reference
from journeys.walk import condition_roots, conditions_in, visits


@dataclass(frozen=True)
class Others:
    """What there is beside a journey: keys of journeys, and the thresholds of points models by their keys.

    `all_known`: there is nothing else, so what refers to something else cannot work. Otherwise it may be where nobody
    has looked, and is only doubtful. Segments are all known, or none is (None); so are voucher
    pools.
    """

    journeys: frozenset[str] = frozenset()
    models: Mapping[str, frozenset[str]] = field(default_factory=dict)
    segments: frozenset[str] | None = None
    pools: frozenset[str] | None = None
    all_known: bool = False


def others_of(
    journeys: Iterable[str],
    models: Iterable[PointsModel],
    *,
    segments: Iterable[str] | None = None,
    pools: Iterable[str] | None = None,
    all_known: bool,
) -> Others:
    """What there is, of keys of journeys, of points models, and of keys of segments and voucher pools."""
    thresholds = {model.key: frozenset(threshold.key for threshold in model.thresholds) for model in models}
    return Others(
        frozenset(journeys),
        thresholds,
        segments=None if segments is None else frozenset(segments),
        pools=None if pools is None else frozenset(pools),
        all_known=all_known,
    )


def unknown_references(journey: Journey, others: Others) -> Iterator[Note]:
    """Whatever a journey starts, counts by and listens to exists: where not all is known, a doubt."""
    for note in (*_journeys(journey, others), *_models(journey, others)):
        yield note if others.all_known else replace(note, severity=Severity.WARNING)
    if others.segments is not None:
        yield from unknown_segments(journey, others.segments)
    if others.pools is not None:
        yield from voucher_pools(journey, others.pools)


class _Listened(NamedTuple):
    """An event that is listened to or asked for, and where its `where` stands."""

    event: str
    where: Where
    path: Path


_OF_JOURNEYS = (GOAL_MET, JOURNEY_COMPLETED, JOURNEY_EXITED)
"""Events whose property `journey` names one."""


def _journeys(journey: Journey, others: Others) -> Iterator[Note]:
    known = others.journeys | {journey.key}
    told = [one for event in _OF_JOURNEYS for one in _named(journey, event, "journey")]
    for key, path in (*_started(journey), *told):
        if key not in known:
            meant = nearest(key, sorted(known))
            remedy = f"Did you mean '{meant}'?" if meant else "Publish it first, or name another one."
            yield error("unknown-journey", path, f"There is no journey '{key}'.", remedy)


def _models(journey: Journey, others: Others) -> Iterator[Note]:
    for key, path in (*_counted(journey), *_named(journey, SCORE_CROSSED, "model")):
        if key not in others.models:
            meant = nearest(key, sorted(others.models))
            remedy = f"Did you mean '{meant}'?" if meant else "Publish it first, or name another one."
            yield error("unknown-model", path, f"There is no points model '{key}'.", remedy)
    for one in _listened(journey):
        model, threshold = _literal(one.where, "model"), _literal(one.where, "threshold")
        thresholds = others.models.get(model or "")
        if one.event == SCORE_CROSSED and thresholds is not None and threshold and threshold not in thresholds:
            what = f"The points model '{model}' has no threshold '{threshold}'."
            remedy = f"It has: {', '.join(sorted(thresholds)) or 'none'}."
            yield error("unknown-threshold", (*one.path, "threshold"), what, remedy)


def _started(journey: Journey) -> Iterator[tuple[str, Path]]:
    for visit in visits(journey):
        if isinstance(visit.step, StartStep):
            yield visit.step.start.journey, (*visit.path, "start", "journey")


def _counted(journey: Journey) -> Iterator[tuple[str, Path]]:
    for visit in visits(journey):
        if isinstance(visit.step, RecomputeScoreStep):
            yield visit.step.recompute_score, (*visit.path, "recompute_score")
        if isinstance(visit.step, ScoreStep):
            yield visit.step.score.model, (*visit.path, "score", "model")
    for root, root_path, _ in condition_roots(journey):
        for condition, path in conditions_in(root, root_path):
            if isinstance(condition, ScoreCondition):
                yield condition.score.model, (*path, "score", "model")


def _named(journey: Journey, event: str, name: str) -> Iterator[tuple[str, Path]]:
    """What a property of the event has to be, where that is written word for word."""
    for one in _listened(journey):
        key = _literal(one.where, name)
        if one.event == event and key is not None:
            yield key, (*one.path, name)


def _literal(where: Where, name: str) -> str | None:
    asked: Any = where.get(name)
    return asked if isinstance(asked, str) and entry_reference(asked) is None else None


def _listened(journey: Journey) -> Iterator[_Listened]:
    entry = journey.entry
    if entry.event is not None:
        yield _Listened(entry.event, entry.where, ("entry", "where"))
    if journey.goal is not None:
        yield _Listened(journey.goal.event, journey.goal.where, ("goal", "where"))
    for number, one in enumerate(journey.exit):
        yield _Listened(one.event, one.where, ("exit", number, "where"))
    places = {visit.step_id: visit.path for visit in visits(journey)}
    for criterion in compile_plan(journey, version=1).criteria.values():
        if criterion.step is not None:
            yield _Listened(criterion.event, criterion.where, places[criterion.step])
    for root, root_path, _ in condition_roots(journey):
        for condition, path in conditions_in(root, root_path):
            if isinstance(condition, EventPattern):
                yield _Listened(condition.event, condition.where, (*path, "where"))
            elif isinstance(condition, NoneCondition):
                yield _Listened(condition.none.event, condition.none.where, (*path, "none", "where"))
