"""Where an action of a journey comes from: the event a step goes back to, and the step an event follows from. Pure."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID


class Origin(NamedTuple):
    """The passage through a step that had an event happen. `iteration` is the how-manieth one, from 1 on."""

    enrollment_id: UUID
    step: str
    iteration: int


def event_id_of(name: str, origin: Origin) -> str:
    """The id of the event of this name that follows from a step: the same however often the step is attempted."""
    return f"{name}:{origin.enrollment_id}:{origin.step}:{origin.iteration}"


def origin_of(event_id: str, name: str) -> Origin | None:
    """The step an event follows from, read off its id; None where it follows from none."""
    try:
        enrollment_id, step, iteration = event_id.removeprefix(f"{name}:").split(":")
        return Origin(UUID(enrollment_id), step, int(iteration))
    except ValueError:
        return None


def led_by(entry_event_id: str | None, decided: Iterable[str | None]) -> Iterator[str | None]:
    """For each decision of an enrollment, in order, the event it goes back to.

    That which decided here; where none did (time passed, a message was sent), the last one that decided the way here,
    and in the end the entry. None where it was entered without an event and none has come since. `decided` are the
    events that the decisions name themselves.
    """
    cause = entry_event_id
    for event_id in decided:
        cause = event_id or cause
        yield cause
