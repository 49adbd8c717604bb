"""Rules about tasks and points: somebody makes the task that is waited for, and there is the points model."""

from collections.abc import Collection, Iterator

from journeys.conditions.event import EventPattern
from journeys.conditions.registry import NoneCondition, ScoreCondition
from journeys.findings import Note, error, warning
from journeys.mistakes import nearest
from journeys.model import Journey
from journeys.places import Path
from journeys.steps.give_points import ScoreStep
from journeys.steps.recompute_score import RecomputeScoreStep
from journeys.steps.task import TaskStep
from journeys.steps.wait_for import AwaitedEvent, AwaitedFirst, WaitForStep
from journeys.steps.wait_for_first import EventAlternative
from journeys.tasks import TASK_EVENTS, names_others
from journeys.values import Where
from journeys.walk import condition_roots, conditions_in, visits

_Named = tuple[str, Where, Path]
"""An event, what is asked of it, and where that is written."""


def tasks_nobody_makes(journey: Journey) -> Iterator[Note]:
    """`task.done` means a task of this very enrollment, so the step it names must be a `task` of the journey."""
    makers = sorted(visit.step_id for visit in visits(journey) if isinstance(visit.step, TaskStep))
    for event, where, path in (*_met_anywhere(journey), *_awaited(journey), *_asked(journey)):
        step = where.get("step")
        if event in TASK_EVENTS and isinstance(step, str) and not names_others(where) and step not in makers:
            yield _unknown(event, step, path, makers)


def _unknown(event: str, step: str, path: Path, makers: list[str]) -> Note:
    meant = nearest(step, makers)
    remedy = f"Did you mean '{meant}'?" if meant else "Name a `task` step, or the `journey` whose step is meant."
    what = f"`{event}` is asked of the step '{step}', and no `task` of this journey is called so."
    return error("unknown-task", (*path, "where", "step"), what, remedy)


def _met_anywhere(journey: Journey) -> Iterator[_Named]:
    if journey.goal is not None:
        yield journey.goal.event, journey.goal.where, ("goal",)
    for number, criterion in enumerate(journey.exit):
        yield criterion.event, criterion.where, ("exit", number)


def _awaited(journey: Journey) -> Iterator[_Named]:
    for visit in visits(journey):
        awaited = visit.step.wait_for if isinstance(visit.step, WaitForStep) else None
        if isinstance(awaited, AwaitedEvent):
            yield awaited.event, awaited.where, (*visit.path, "wait_for")
        if isinstance(awaited, AwaitedFirst):
            for number, one in enumerate(awaited.first_of):
                if isinstance(one, EventAlternative):
                    yield one.event, one.where, (*visit.path, "wait_for", "first_of", number)


def _asked(journey: Journey) -> Iterator[_Named]:
    for root, root_path, visit in condition_roots(journey):
        for condition, path in conditions_in(root, root_path) if visit is not None else ():
            if isinstance(condition, NoneCondition):
                yield condition.none.event, condition.none.where, (*path, "none")
            elif isinstance(condition, EventPattern):
                yield condition.event, condition.where, path


def unknown_models(journey: Journey, models: Collection[str]) -> Iterator[Note]:
    """Points need a points model that is live: without it a step waits for people, and a condition finds 0 points."""
    for visit in visits(journey):
        step = visit.step
        if isinstance(step, ScoreStep) and step.score.model not in models:
            what = f"There is no points model '{step.score.model}' to give points under."
            yield error("unknown-model", (*visit.path, "score", "model"), what, _model_meant(step.score.model, models))
        if isinstance(step, RecomputeScoreStep) and step.recompute_score not in models:
            what = f"There is no points model '{step.recompute_score}', so this step would wait for people."
            remedy = _model_meant(step.recompute_score, models)
            yield warning("unknown-model", (*visit.path, "recompute_score"), what, remedy)
    for root, root_path, _ in condition_roots(journey):
        for condition, path in conditions_in(root, root_path):
            if isinstance(condition, ScoreCondition) and condition.score.model not in models:
                what = f"There is no points model '{condition.score.model}', so everybody has 0 points here."
                remedy = _model_meant(condition.score.model, models)
                yield warning("unknown-model", (*path, "score", "model"), what, remedy)


def _model_meant(key: str, models: Collection[str]) -> str:
    meant = nearest(key, sorted(models))
    return f"Did you mean '{meant}'?" if meant else "Publish it first, or name one that is live."
