"""What steps have people do, in German."""

from datetime import timedelta

from journeys.moments import CalendarMoment
from journeys.reading.german_clauses import after, lasting, quoted
from journeys.reading.parts import clock
from journeys.spans import Span, Unit
from journeys.steps.give_points import ScoreStep
from journeys.steps.task import OWNER, TODO, Due, TaskStep


def german_task(step: TaskStep) -> str:
    """What a `task` step does."""
    asked = step.task
    owner = "die Verantwortlichen der Journey" if asked.for_ == OWNER else quoted(asked.for_)
    ended = "; endet die Journey vorher, entfällt sie" if asked.at_end == "cancel" else ""
    sort = f" ({asked.kind})" if asked.kind != TODO else ""
    details = f": {asked.details.rstrip('.')}" if asked.details else ""
    return f"Aufgabe für {owner}: {quoted(asked.title)}{sort}, fällig{_due(asked.due)}{ended}{details}"


def _due(due: Due) -> str:
    if isinstance(due, timedelta):
        return f" innerhalb von {after(due)}"
    if isinstance(due, CalendarMoment):
        on = "am nächsten Tag" if due.span == Span(1, Unit.DAY) else f"am Tag {lasting(due.span)} später"
        return f" {on}, {clock(due.at)} Uhr"
    return ", sobald Nachrichten versendet werden dürfen"


def german_score(step: ScoreStep) -> str:
    """What a `score` step does."""
    given = step.score
    done = f"{given.add} Punkte geben" if given.add > 0 else f"{-given.add} Punkte abziehen"
    return f"Dem Kontakt nach dem Punktemodell {quoted(given.model)} {done}: {given.reason.rstrip('.?!')}"
