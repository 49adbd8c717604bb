"""German words for how often a contact is written to: at the frequency cap, and with the same template."""

from collections.abc import Iterator
from datetime import timedelta

from journeys.frequency import NEVER, AtCap, Priority
from journeys.model import Journey
from journeys.reading.closed_windows import journey_in_german, message_in_german
from journeys.reading.german_clauses import after
from journeys.steps.send import Message

_PRIORITY = {
    Priority.HIGH: "Warten mehrere auf das Frequenzlimit, gehen ihre Nachrichten vor",
    Priority.LOW: "Warten mehrere auf das Frequenzlimit, lassen ihre Nachrichten anderen den Vortritt",
}


def of_journey(journey: Journey) -> Iterator[str]:
    """Sentences, where the journey says something of its own."""
    if journey.priority in _PRIORITY:
        yield _PRIORITY[journey.priority]
    if journey.cap is AtCap.SKIP:
        yield "Am Frequenzlimit entfallen ihre Nachrichten"

    yield from journey_in_german(journey)


def of_message(message: Message) -> str:
    """What follows the words of a step that sends it."""
    again = ""
    if isinstance(message.repeat, timedelta):
        again = f", nicht innerhalb von {after(message.repeat)} nach dem letzten Mal"
    elif message.repeat is not None:
        again = ", jedem Kontakt nur einmal" if message.repeat == NEVER else ", auch kurz nach dem letzten Mal"
    cap = {
        AtCap.SKIP: "; am Frequenzlimit entfällt die Nachricht",
        AtCap.DEFER: "; am Frequenzlimit wartet die Nachricht",
    }
    return again + (cap[message.cap] if message.cap else "") + message_in_german(message)
