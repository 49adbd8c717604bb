"""What steps have people do, in English."""

from datetime import timedelta

from journeys.moments import CalendarMoment
from journeys.reading.english_clauses import lasting
from journeys.reading.parts import clock
from journeys.spans import Span, Unit
from journeys.steps.give_points import ScoreStep
from journeys.steps.task import OWNER, TODO, Due, TaskStep


def english_task(step: TaskStep) -> str:
    """What a `task` step does."""
    asked = step.task
    owner = "the journey's owner" if asked.for_ == OWNER else asked.for_
    ended = ", cancelled when the journey ends" if asked.at_end == "cancel" else ""
    sort = f" ({asked.kind})" if asked.kind != TODO else ""
    details = f": {asked.details.rstrip('.')}" if asked.details else ""
    return f'Give {owner} the task "{asked.title}"{sort}, due {_due(asked.due)}{ended}{details}'


def _due(due: Due) -> str:
    if isinstance(due, timedelta):
        return f"within {lasting(due)}"
    if isinstance(due, CalendarMoment):
        on = "the next day" if due.span == Span(1, Unit.DAY) else f"the day {lasting(due.span)} later"
        return f"{clock(due.at)} on {on}"
    return "when messages may leave next"


def english_score(step: ScoreStep) -> str:
    """What a `score` step does."""
    given = step.score
    done = f"Give the contact {given.add} points" if given.add > 0 else f"Take {-given.add} points from the contact"
    return f'{done} under "{given.model}": {given.reason.rstrip(".?!")}'
