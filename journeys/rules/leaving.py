"""Rules about the exit condition of a journey."""

from collections.abc import Iterator

from journeys.conditions.event import EventPattern
from journeys.conditions.registry import NoneCondition
from journeys.findings import Note, warning
from journeys.model import Journey
from journeys.walk import conditions_in


def exit_by_time(journey: Journey) -> Iterator[Note]:
    """The exit condition is judged when something happens: what the time alone makes hold is noticed then, not before.

    An event that is too long ago makes `none`, and `at_most`, hold by the time.
    """
    if journey.exit_when is None:
        return
    for condition, path in conditions_in(journey.exit_when, ("exit_when",)):
        pattern, place = (
            (condition.none, (*path, "none")) if isinstance(condition, NoneCondition) else (condition, path)
        )
        if isinstance(pattern, EventPattern) and pattern.within is not None:
            what = (
                "Time alone may make this hold, and nobody leaves by it before something else happens to the contact."
            )
            remedy = "Make it a segment, and leave by its `segment.entered` or `segment.left` under `exit`."
            yield warning("exit-by-time", (*place, "within"), what, remedy)
