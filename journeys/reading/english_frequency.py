"""English words for how often a contact is written to: at the frequency cap, and with the same template."""

from collections.abc import Iterator
from datetime import timedelta

from journeys.frequency import NEVER, AtCap, Priority
from journeys.model import Journey
from journeys.reading.closed_windows import journey_in_english, message_in_english
from journeys.reading.english_clauses import lasting
from journeys.steps.send import Message

_PRIORITY = {
    Priority.HIGH: "Where several wait for the frequency cap, its messages go first",
    Priority.LOW: "Where several wait for the frequency cap, its messages let others go first",
}


def of_journey(journey: Journey) -> Iterator[str]:
    """Sentences, where the journey says something of its own."""
    if journey.priority in _PRIORITY:
        yield _PRIORITY[journey.priority]
    if journey.cap is AtCap.SKIP:
        yield "At the frequency cap its messages are left out"

    yield from journey_in_english(journey)


def of_message(message: Message) -> str:
    """What follows the words of a step that sends it."""
    again = ""
    if isinstance(message.repeat, timedelta):
        again = f", not within {lasting(message.repeat)} of the last time"
    elif message.repeat is not None:
        again = ", only once ever to a contact" if message.repeat == NEVER else ", even where it was sent just before"
    cap = {AtCap.SKIP: "; at the frequency cap it is left out", AtCap.DEFER: "; at the frequency cap it waits"}
    return again + (cap[message.cap] if message.cap else "") + message_in_english(message)
