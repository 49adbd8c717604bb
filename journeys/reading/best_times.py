"""Waits for the contact's own best time, in both languages."""

from journeys.best_time import BestTime
from journeys.reading.parts import clock


def in_english(asked: BestTime) -> str:
    """What the step does."""
    hours = "" if asked.whole_day else f" between {clock(asked.from_)} and {clock(asked.to)}"
    window = ", on a day and at an hour when messages may leave" if asked.in_window else ""
    known = f"; {clock(asked.otherwise)} where too little is known of it"
    return f"Wait until the time of day at which the contact reacts most to mails{hours}{window}{known}"


def in_german(asked: BestTime) -> str:
    """What the step does."""
    hours = "" if asked.whole_day else f" zwischen {clock(asked.from_)} und {clock(asked.to)} Uhr"
    window = ", an einem Tag und zu einer Stunde, da Nachrichten versendet werden dürfen" if asked.in_window else ""
    known = f"; {clock(asked.otherwise)} Uhr, wenn zu wenig über ihn bekannt ist"
    return f"Warten bis zu der Uhrzeit, zu der der Kontakt{hours} am meisten auf Mails reagiert{window}{known}"
