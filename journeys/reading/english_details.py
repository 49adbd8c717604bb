"""What is said beside the main thing of a step or an entry, in English. Empty where it is as usual."""

from datetime import timedelta

from journeys.entries import DAY
from journeys.moments import DateMoment, InstantMoment, date_source
from journeys.reading.english_clauses import event, lasting, written
from journeys.reading.parts import listed
from journeys.steps.send import Message
from journeys.steps.start import JourneyStart
from journeys.values import EventCriterion


def latest_of(message: Message) -> str:
    """Which newest events the message prints."""
    printed = [f"{name}: {event(one.event, one.where)}" for name, one in message.latest.items()]
    return f"; it prints the newest of each of these: {listed(printed, ', ')}" if printed else ""


def entered_with(start: JourneyStart) -> str:
    """What another journey is started with."""
    key = f", as {written(start.entry_key)}" if start.entry_key is not None else ""
    handed = [f"{name}: {written(value)}" for name, value in start.properties.items()]
    return key + (f", with {listed(handed, ', ')}" if handed else "")


def about(moment: DateMoment | InstantMoment) -> str:
    """What moves a moment, and what becomes of those who come too late, or without the date."""
    late = "; who comes too late goes on at once" if moment.late == "now" else ""
    if isinstance(moment, InstantMoment):
        return late
    leap = ", 29 February on 1 March" if moment.leap_day != "feb-28" else ""
    left_out = "it counts as too late" if moment.late == "skip" else "what belongs to it is left out"
    missing = f"; without that date {left_out}" if moment.missing == "skip" else ""
    return f"{leap}{_moved(moment)}{missing}{late}"


def passed_by(moment: object) -> str:
    """Who goes past what belongs to a moment: whoever is too late; where these go on at once, who has no such date."""
    return (
        "Without that date" if isinstance(moment, DateMoment) and moment.late == "now" else "If it is too late for that"
    )


def _moved(moment: DateMoment) -> str:
    moved = moment.moved_by
    of_the_entry_itself = date_source(moment.reference)[1] == ""
    if moved is None or (of_the_entry_itself and moved.property is None):
        return ""
    to = f", to its {moved.property}" if moved.property else ""
    return f"; {event(moved.event, moved.where)} moves it{to}"


def of_use(expires_after: timedelta | None) -> str:
    """How late contacts may still enter by the time."""
    if expires_after == DAY:
        return ""
    return "; however late" if expires_after is None else f"; at most {lasting(expires_after)} late"


def alternative_event(criterion: EventCriterion, *, since_step: bool) -> str:
    """An event that may come first."""
    return f"{event(criterion.event, criterion.where)} comes{' from now on' if since_step else ''}"
