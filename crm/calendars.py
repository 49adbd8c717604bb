"""The calendar a contact lives by: time zone, public holidays, and the dates journeys wait for. On rows read elsewhere.

Which instant a moment is, given these, is computed in `journeys.instants`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from crm.facts import attributes_of
from crm.models.contact import Contact
from crm.models.event import Event
from journeys.best_time import BestTimeMoment
from journeys.conditions.comparison import lookup
from journeys.dates import DateRefusal
from journeys.duration import describe_duration
from journeys.holidays import holidays_where
from journeys.instants import Surroundings, describe_refusal, resolve
from journeys.moments import DateMoment, Moment, WindowMoment, date_source
from journeys.quiet import QUIET_HOURS, outside
from journeys.send_time import SendTime, send_time
from journeys.sittings import Reaction
from journeys.spreading import place_of
from journeys.timing import zone_or_default
from journeys.window import Window
from kit.errors import Invalid
from kit.settings import Settings


@dataclass(frozen=True)
class Dates:
    """Where the dates of an enrollment stand. `moved` is the event that gave the date of the entry anew, if any.

    `entered_at` (aware) is when the entry occurred; `reactions` are the contact's to mails, for its best time.
    """

    contact: Contact
    entry: Mapping[str, Any]
    moved: Event | None = None
    entered_at: datetime | None = None
    reactions: Sequence[Reaction] = ()


@dataclass(frozen=True)
class Asked:
    """When a step was reached, and the present (both aware); the journey's window, if it has one."""

    reached: datetime
    now: datetime
    window: Window | None = None


@dataclass(frozen=True)
class Found:
    """The instant (aware UTC), None where there is no usable date; the zone; what was not as it should be."""

    at: datetime | None
    zone: str
    because: str


def look_up(moment: Moment, asked: Asked, dates: Dates, *, settings: Settings) -> Found:
    """The instant a moment is for the contact.

    Raises:
        Invalid: the window is asked for, and the journey has none, or it does not open within 366 days.
    """
    contact = dates.contact
    zone, zone_note = zone_or_default(contact.time_zone, settings.default_time_zone)
    by_window = _by_window(moment)
    if by_window and asked.window is None:
        raise Invalid("The journey has no window to wait for.", remedy="Skip the step, and give the journey a window.")
    closed, holiday_note = holidays_where(contact.country, contact.region, default=settings.default_country)
    best = _best(moment, asked, dates, zone)
    around = Surroundings(
        zone=zone,
        reached=asked.reached,
        now=asked.now,
        window=asked.window,
        closed=closed,
        value=_value(moment, dates) if isinstance(moment, DateMoment) else None,
        place=place_of(contact.id),
        best=best.time if best else None,
    )
    found = resolve(moment, around)
    if isinstance(found, DateRefusal):
        assert isinstance(moment, DateMoment)
        return Found(None, zone.key, describe_refusal(moment, found))
    respected = by_window and asked.window is not None and asked.window.holidays
    told = best.because if best else _spread(moment, asked, found)
    notes = (zone_note, holiday_note if respected else None, told)
    return Found(found, zone.key, " ".join(note for note in notes if note))


def _by_window(moment: Moment) -> bool:
    return isinstance(moment, WindowMoment) or (isinstance(moment, BestTimeMoment) and moment.best_time.in_window)


def _best(moment: Moment, asked: Asked, dates: Dates, zone: ZoneInfo) -> SendTime | None:
    """The contact's best time of day, where the moment is that."""
    if not isinstance(moment, BestTimeMoment):
        return None
    window = asked.window if moment.best_time.in_window else None
    quiet = outside(attributes_of(dates.contact).get(QUIET_HOURS))
    return send_time(dates.reactions, zone, asked.now, moment.best_time, window=window, quiet=quiet)


def _spread(moment: Moment, asked: Asked, found: datetime) -> str | None:
    """That contacts do not all go on when the window opens, where it did so."""
    if (
        not isinstance(moment, WindowMoment)
        or asked.window is None
        or asked.window.spread is None
        or found <= asked.now
    ):
        return None
    return f"Contacts go on spread over {describe_duration(asked.window.spread)}."


def _value(moment: DateMoment, dates: Dates) -> Any:
    """What stands where the moment looks for its date: the newest event's word, else the entry's, or the contact's."""
    source, path = date_source(moment.reference)
    if source == "contact":
        return lookup(attributes_of(dates.contact), path)
    if dates.moved is None or moment.moved_by is None:
        return lookup(dates.entry, path) if path else dates.entered_at
    if not path and moment.moved_by.property is None:
        return dates.moved.occurred_at
    return lookup(dates.moved.properties, moment.moved_by.property or path)
