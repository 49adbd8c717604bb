"""Rules about repeated steps: that rounds take time, are not too many, and wait for events of their own."""

from collections.abc import Iterator
from math import prod

from journeys.findings import Note, error, warning
from journeys.model import Journey
from journeys.places import Path
from journeys.steps.repeat import RepeatStep
from journeys.steps.send import SendStep
from journeys.steps.wait import WaitStep
from journeys.steps.wait_for import AwaitedEvent, AwaitedFirst, WaitForStep
from journeys.steps.wait_for_first import EventAlternative
from journeys.walk import Visit, all_inside, visits

MOST_ROUNDS_TOGETHER = 1_000


def too_many_rounds(journey: Journey) -> Iterator[Note]:
    """Rounds of loops within each other multiply."""
    for visit in _loops(journey):
        around = [loop for loop in _loops(journey) if _is_inside(visit.path, loop)]
        together = prod(loop.step.repeat.times for loop in (*around, visit) if isinstance(loop.step, RepeatStep))
        if together > MOST_ROUNDS_TOGETHER:
            yield error(
                "too-many-rounds",
                (*visit.path, "repeat", "times"),
                f"With the repeats around it, these are {together} rounds; at most {MOST_ROUNDS_TOGETHER} are allowed.",
                "Lower one of the `times`, or start another journey for the inner part.",
            )


def rounds_without_time(journey: Journey) -> Iterator[Note]:
    """Messages in a loop that nowhere waits leave all at once."""
    for visit in _loops(journey):
        inside = list(all_inside(visit.step))
        waits = any(isinstance(step, WaitStep | WaitForStep) for step in inside)
        if not waits and any(isinstance(step, SendStep) for step in inside):
            what = "Its rounds follow each other at once, and each sends a message."
            yield warning("rounds-without-time", visit.path, what, "Put a `wait` or a `wait_for` among its steps.")


def events_of_earlier_rounds(journey: Journey) -> Iterator[Note]:
    """A wait since entry is fulfilled in each later round by the event that fulfilled it in the first."""
    loops = list(_loops(journey))
    for visit in visits(journey):
        if isinstance(visit.step, WaitForStep) and any(_is_inside(visit.path, loop) for loop in loops):
            for path in _since_entry(visit.step):
                yield warning(
                    "event-of-earlier-round",
                    (*visit.path, *path),
                    "An event that came in an earlier round fulfils this in every later round at once.",
                    "Write `since: step`.",
                )


def _since_entry(step: WaitForStep) -> Iterator[Path]:
    awaited = step.wait_for
    if isinstance(awaited, AwaitedEvent) and awaited.since == "entry":
        yield ("wait_for",)
    for number, one in enumerate(awaited.first_of if isinstance(awaited, AwaitedFirst) else ()):
        if isinstance(one, EventAlternative) and one.since == "entry":
            yield ("wait_for", "first_of", number)


def _loops(journey: Journey) -> Iterator[Visit]:
    return (visit for visit in visits(journey) if isinstance(visit.step, RepeatStep))


def _is_inside(path: Path, loop: Visit) -> bool:
    return len(path) > len(loop.path) and path[: len(loop.path)] == loop.path
