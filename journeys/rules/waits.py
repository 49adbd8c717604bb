"""Rules about waits for a moment: that there is a window to wait for, when it is open, and what happens too late."""

from collections.abc import Iterator

from journeys.best_time import BestTime, BestTimeMoment, time_of
from journeys.findings import Note, error, warning
from journeys.model import Journey
from journeys.moments import Dated, DateMoment, WindowMoment
from journeys.places import Path
from journeys.steps.registry import Step
from journeys.steps.task import TaskStep
from journeys.steps.wait import WaitStep
from journeys.walk import visits
from journeys.window import Weekday, WhenClosed, Window, within, write_time


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
    if isinstance(step, WaitStep) and isinstance(step.wait, BestTimeMoment) and step.wait.best_time.in_window:
        return ("wait", "best_time", "in_window")
    return ("task", "due") if isinstance(step, TaskStep) and isinstance(step.task.due, WindowMoment) else ()


def best_time_in_window(journey: Journey) -> Iterator[Note]:
    """A message held back at the contact's best time would leave when the window opens, at nobody's best time."""
    window = journey.window
    for visit in visits(journey):
        if window is None or not isinstance(visit.step, WaitStep) or not isinstance(visit.step.wait, BestTimeMoment):
            continue
        asked, path = visit.step.wait.best_time, (*visit.path, "wait", "best_time")
        if asked.in_window and not within(asked.otherwise, window.from_, window.to):
            yield error(
                "otherwise-outside-window",
                (*path, "otherwise"),
                f"The window is never open at {write_time(asked.otherwise)}, and that is asked for.",
                "Write a time at which the window is open, or open it for longer.",
            )
        elif not asked.in_window and _may_be_closed(asked, window):
            then = "is left out" if journey.closed is WhenClosed.SKIP else "leaves when it opens"
            yield warning(
                "best-time-outside-window",
                path,
                f"At the contact's best time the window may be closed; a message then {then}.",
                "Write `in_window: true`, so that a time at which it is open is waited for.",
            )


def _may_be_closed(asked: BestTime, window: Window) -> bool:
    every_day = len(window.days) == len(Weekday) and not window.holidays
    return not every_day or any(not within(time_of(slot), window.from_, window.to) for slot in asked.slots())


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
