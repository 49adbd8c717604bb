"""What becomes of messages at a closed window and in quiet hours, in both languages; nothing where it is as usual."""

from collections.abc import Iterator

from journeys.model import Journey
from journeys.steps.send import Message
from journeys.window import WhenClosed


def journey_in_english(journey: Journey) -> Iterator[str]:
    """What a journey says of all its messages."""
    if journey.closed is WhenClosed.SKIP:
        yield "While the send window is closed, and in the contact's quiet hours, its messages are left out"


def journey_in_german(journey: Journey) -> Iterator[str]:
    """What a journey says of all its messages."""
    if journey.closed is WhenClosed.SKIP:
        yield "Bei geschlossenem Versandfenster und in den Ruhezeiten des Kontakts entfallen ihre Nachrichten"


def message_in_english(message: Message) -> str:
    """What follows the words of a step that sends it."""
    words = {WhenClosed.SKIP: "it is left out", WhenClosed.DEFER: "it waits"}
    return f"; at a closed window {words[message.closed]}" if message.closed else ""


def message_in_german(message: Message) -> str:
    """What follows the words of a step that sends it."""
    words = {WhenClosed.SKIP: "entfällt die Nachricht", WhenClosed.DEFER: "wartet die Nachricht"}
    return f"; bei geschlossenem Versandfenster {words[message.closed]}" if message.closed else ""
