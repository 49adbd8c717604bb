"""Rules about what people do: somebody makes the task that is waited for, and whoever decides is asked something."""

from collections.abc import Iterator

from journeys.conditions.event import EventPattern
from journeys.conditions.registry import NoneCondition
from journeys.findings import Note, error
from journeys.mistakes import nearest
from journeys.model import Journey
from journeys.places import Path
from journeys.steps.approve import ApproveStep
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


def nothing_asked(journey: Journey) -> Iterator[Note]:
    """An approval without a question: whoever is to decide sees only that somebody waits."""
    for visit in visits(journey):
        if isinstance(visit.step, ApproveStep) and not visit.step.approve.question.strip():
            what = f"'{visit.step.approve.by}' is to decide, and nothing is asked."
            remedy = "Write what is to be decided, such as `question: May this customer have 20 % off?`."
            yield error("nothing-asked", (*visit.path, "approve", "question"), what, remedy)


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
