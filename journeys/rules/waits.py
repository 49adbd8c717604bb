"""Rules about waits for a moment: that there is a window to wait for, and that it is said what happens too late."""

from collections.abc import Iterator

from journeys.findings import Note, error, warning
from journeys.model import Journey
from journeys.moments import Dated, DateMoment, WindowMoment
from journeys.places import Path
from journeys.steps.registry import Step
from journeys.steps.task import TaskStep
from journeys.steps.wait import WaitStep
from journeys.walk import visits


def window_to_wait_for(journey: Journey) -> Iterator[Note]:
    """`next_window` speaks of the journey's window."""
    for visit in visits(journey):
        where = _waits_for_window(visit.step)
        if journey.window is None and where:
            yield error(
                "no-window",
                (*visit.path, *where),
                "The journey has no window to wait for.",
                "Give it one, such as `window: {days: mon-fri, from: "
                '"08:00", to: "20:00"}`, or write how long to wait.',
            )


def _waits_for_window(step: Step) -> Path:
    """Where the step speaks of the window, below it; empty where it does not."""
    if isinstance(step, WaitStep) and isinstance(step.wait, WindowMoment):
        return ("wait",)
    return ("task", "due") if isinstance(step, TaskStep) and isinstance(step.task.due, WindowMoment) else ()


def late_is_said(journey: Journey) -> Iterator[Note]:
    """Behind a flat wait for a date, all who come too late would get everything at once."""
    for visit in visits(journey):
        step = visit.step
        if not isinstance(step, WaitStep) or not isinstance(step.wait, Dated):
            continue
        if step.wait.late == "skip" and not step.nested():
            yield error(
                "late-not-said",
                (*visit.path, "wait"),
                "It is not said what happens to contacts that come when this moment has passed.",
                "Put what belongs to the moment under `then`, which they leave out, or write `late: now`.",
            )
        if step.wait.late == "now" and step.else_ and not _may_be_missing(step.wait):
            yield warning(
                "else-never-taken",
                (*visit.path, "else"),
                "With `late: now` nobody comes here.",
                "Remove `else`, or write `late: skip`.",
            )


def _may_be_missing(moment: Dated) -> bool:
    return isinstance(moment, DateMoment) and moment.missing == "skip"
