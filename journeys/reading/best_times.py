"""Waits for the contact's own best time, in both languages."""

from journeys.best_time import BestTime
from journeys.reading.parts import clock


def in_english(asked: BestTime) -> str:
    """What the step does."""
    hours = "" if asked.whole_day else f" between {clock(asked.from_)} and {clock(asked.to)}"
    window = " at which messages may leave" if asked.in_window else ""
    return f"Wait until the contact's best time{hours}{window}; {clock(asked.otherwise)} where too little is known"


def in_german(asked: BestTime) -> str:
    """What the step does."""
    hours = "" if asked.whole_day else f" zwischen {clock(asked.from_)} und {clock(asked.to)} Uhr"
    window = ", zu der Nachrichten versendet werden dürfen" if asked.in_window else ""
    known = f"{clock(asked.otherwise)} Uhr, wenn zu wenig bekannt ist"
    return f"Bis zur besten Uhrzeit des Kontakts{hours} warten{window}; {known}"
