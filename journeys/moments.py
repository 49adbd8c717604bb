"""Moments a journey may wait for, as it writes them: a calendar span, an instant, a time beside a date, the window.

The contact's own best time is in `journeys.best_time`.

Which instant a moment is for a contact is computed in `journeys.instants`. A plan holds moments in this very form.
"""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, PlainSerializer, Tag, WithJsonSchema, model_validator

from journeys.best_time import BestTimeMoment
from journeys.dates import FIRST_YEAR, LAST_YEAR, LeapDay
from journeys.refusals import refused, shown
from journeys.spans import (
    SPAN_AT_CLOCK,
    CalendarSpan,
    Clock,
    Offset,
    Span,
    describe_offset,
    parse_clock,
    parse_span,
    write_clock,
)
from journeys.values import EventName, Flag, PropertyPath, Strict, Where

NEXT_WINDOW = "next_window"
DAY = timedelta(days=1)
_CLOCK_CHANGE = timedelta(hours=1)
_YEAR = timedelta(days=367)
Lasting = tuple[timedelta, timedelta | None]
"""How long a wait for a moment takes at least and at most; None where that hangs on a date, or on the window."""
_CALENDAR = re.compile(r"^(?P<span>.*\S)\s+at\s+(?P<at>\S+)$", re.DOTALL)
_DATE = re.compile(r"^\$(entry|contact)\.([A-Za-z0-9_.]+)$|^\$entry$")
ENTRY = "$entry"
"""The reference to the moment at which the entry itself occurred."""


class CalendarMoment(Strict):
    """A time of day, so many calendar days, weeks, months or years after the day on which the step is reached."""

    span: CalendarSpan
    at: Clock

    def lasts(self) -> Lasting:
        """Counted from the first and the last moment of the day on which the step is reached."""
        at = timedelta(hours=self.at.hour, minutes=self.at.minute, seconds=self.at.second)
        least, most = self.span.days()
        return max((least - 1) * DAY + at - _CLOCK_CHANGE, timedelta()), most * DAY + at + _CLOCK_CHANGE

    def __str__(self) -> str:
        return f"{self.span} at {write_clock(self.at)}"


def _parse_calendar(value: Any) -> Any:
    """`1 day at 09:00` as a moment."""
    if isinstance(value, CalendarMoment):
        return value
    found = _CALENDAR.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        exact = re.sub(r"\s+(day|week)s?$", lambda unit: unit[1][0].lower(), str(value).strip(), flags=re.IGNORECASE)
        other = f", or `{exact}` for exact time" if exact != str(value).strip() else ""
        raise refused(f"{shown(value)} does not say at what time.", f"Write `{str(value)[:40]} at 09:00`{other}.")
    return CalendarMoment(span=parse_span(found["span"]), at=parse_clock(found["at"]))


class WindowMoment(Strict):
    """The next moment at which the journey's window is open; at once where it is."""

    def lasts(self) -> Lasting:
        """Nothing where the window is open."""
        return timedelta(), None

    def __str__(self) -> str:
        return NEXT_WINDOW


def _parse_window(value: Any) -> Any:
    return WindowMoment() if value == NEXT_WINDOW else value


def parse_until(value: Any) -> Any:
    """An instant, or a time on the contact's wall, from ISO 8601.

    Raises:
        ValueError: it is none, names no time of day, or lies outside of what calendars of people hold.
    """
    if isinstance(value, datetime):
        return value
    remedy = "Write such as 2026-12-24T09:00:00+01:00, or 2026-12-24 09:00 for that time where the contact lives."
    try:
        found = datetime.fromisoformat(value.strip())
    except (AttributeError, ValueError):
        raise refused(f"{shown(value)} is not an instant.", remedy) from None
    if ":" not in value:
        raise refused(f"{shown(value)} does not say at what time.", remedy)
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise refused(f"{shown(value)} lies outside of the years {FIRST_YEAR} to {LAST_YEAR}.", remedy)
    return found


def _write_until(until: datetime) -> str:
    precision = "minutes" if (until.second, until.microsecond) == (0, 0) else "auto"
    return until.isoformat(" " if until.tzinfo is None else "T", precision)


Until = Annotated[
    datetime,
    BeforeValidator(parse_until),
    PlainSerializer(_write_until, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2026-12-24T09:00:00+01:00", "2026-12-24 09:00"]}),
]


def _date_reference(value: Any) -> Any:
    if isinstance(value, str) and _DATE.fullmatch(value):
        return value
    raise refused(f"{shown(value)} names no date.", "Write $entry.starts_at, $contact.contract_end or $entry.")


DateReference = Annotated[
    str,
    BeforeValidator(_date_reference),
    WithJsonSchema({"type": "string", "pattern": _DATE.pattern, "examples": ["$entry.starts_at", "$entry"]}),
]
"""A property of the entry event or an attribute of the contact that holds a date; `$entry`: when the entry occurred."""


class MovedBy(Strict):
    """The event that gives a date of the entry anew, in `property`; by default under the name it has in the entry.

    Where the date is that of the entry itself, `$entry`, it is by default when the event occurred.
    """

    event: EventName
    where: Where = Field(default_factory=dict)
    property: PropertyPath | None = None


Late = Literal["skip", "now"]
"""What becomes of a contact that comes when the moment has passed: go to `else`, or go on at once."""


class Dated(Strict):
    """What moments have in common that may have passed already when the step is reached."""

    late: Late = Field(default="skip", description="Where the moment has passed already: `skip` or `now`.")

    def lasts(self) -> Lasting:
        """Nothing where it has passed."""
        return timedelta(), None


class InstantMoment(Dated):
    """A fixed instant, or a fixed time on the wall where the contact lives."""

    until: Until

    def __str__(self) -> str:
        return _write_until(self.until)


class DateMoment(Dated):
    """A date of the entry or of the contact, or a time before or after it.

    Exactly one of `before` and `after` (with `date`) and `on`. `at` is the time of day; distances are counted in
    calendar days then. Without it a date that is only a day begins at midnight. `yearly` takes the date's next return.
    """

    before: Offset | None = None
    after: Offset | None = None
    on: DateReference | None = None
    date: DateReference | None = None
    at: Clock | None = None
    yearly: Flag = False
    leap_day: LeapDay = Field(
        default="feb-28", description="When a 29 February returns in years that have none: `feb-28` or `mar-1`."
    )
    missing: Literal["attention", "skip"] = Field(
        default="attention", description="Where there is no usable date: wait for people, or go to `else`."
    )
    moved_by: MovedBy | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "DateMoment":
        given = [name for name in ("before", "after", "on") if getattr(self, name) is not None]
        if len(given) != 1:
            raise refused(
                "this does not say when, seen from the date.", "Give exactly one of `before`, `after` and `on`."
            )
        if (self.date is None) != (self.on is not None):
            where = "`on` names the date itself." if self.on else f"`{given[0]}` is counted from a date."
            raise refused(where, "Remove `date`." if self.on else "Name it: `date: $entry.starts_at`.")
        return self

    @model_validator(mode="after")
    def _whole_days_at_a_time_of_day(self) -> "DateMoment":
        offset = self.before or self.after
        if self.at and isinstance(offset, timedelta) and offset % DAY:
            raise refused("with `at`, distances are counted in days.", "Write whole days, or leave `at` out.")
        if self.leap_day != "feb-28" and not self.yearly:
            raise refused("only a date that returns every year has a leap day.", "Write `yearly: true`, or remove it.")
        if self.moved_by and date_source(self.reference)[0] != "entry":
            raise refused("a date of the contact moves when the contact changes.", "Remove `moved_by`.")
        return self

    def lasts(self) -> Lasting:
        """Of a date that returns, a year at most, unless it is moved."""
        return timedelta(), _YEAR if self.yearly else None

    @property
    def reference(self) -> str:
        """The date: `$entry.starts_at`."""
        found = self.on or self.date
        assert found is not None  # `_one_form` has seen to it
        return found

    @property
    def offset(self) -> timedelta | Span:
        """The distance from the date; none for `on`."""
        return self.before or self.after or timedelta()

    def _entry_or_later(self) -> str:
        return f"the entry or the last {self.moved_by.event} since" if self.moved_by else "the entry"

    def __str__(self) -> str:
        distance = f"{describe_offset(self.offset)} {'before' if self.before else 'after'} " if not self.on else ""
        source, path = date_source(self.reference)
        named = f"the {source}'s {path}" if path else self._entry_or_later()
        clock = f" at {write_clock(self.at)}" if self.at else ""
        return f"{distance}{named}{' (next anniversary)' if self.yearly else ''}{clock}"


def date_source(reference: str) -> tuple[str, str]:
    """Where a date comes from, `entry` or `contact`, and the path there; none: it is when the entry occurred."""
    if reference == ENTRY:
        return "entry", ""
    found = _DATE.fullmatch(reference)
    assert found is not None  # the type has seen to it
    return found[1], found[2]


CalendarText = Annotated[
    CalendarMoment,
    BeforeValidator(_parse_calendar),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": SPAN_AT_CLOCK,
            "examples": ["1 day at 09:00", "2 weeks at 18:30", "3 months at 09:00"],
        }
    ),
]
WindowText = Annotated[
    WindowMoment,
    BeforeValidator(_parse_window),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"const": NEXT_WINDOW}),
]
Moment = CalendarMoment | WindowMoment | InstantMoment | DateMoment | BestTimeMoment
"""Every moment that is looked up when its step is reached."""

_FORMS: dict[type, str] = {
    CalendarMoment: "calendar",
    WindowMoment: "window",
    InstantMoment: "instant",
    DateMoment: "date",
    BestTimeMoment: "best",
}
_KEYS = {"instant": {"until"}, "date": {"before", "after", "on"}, "best": {"best_time"}}
"""By form, the keys of which it has one."""
_CALENDAR_WORDS = re.compile(r"[0-9]\s+(day|week|month|year)s?\b|\sat\s", re.IGNORECASE | re.ASCII)


def form_of(value: Any) -> str | None:
    """The tag of the form in which a wait is written; None where it is an object of no known form."""
    if type(value) in _FORMS:
        return _FORMS[type(value)]
    if isinstance(value, dict):
        return next((form for form, keys in _KEYS.items() if keys & set(value)), None)
    if isinstance(value, str) and value.strip() == NEXT_WINDOW:
        return "window"
    return "calendar" if isinstance(value, str) and _CALENDAR_WORDS.search(value) else "duration"


UNKNOWN_FORM = "wait_form"
"""Type of the error where a wait has no known form."""
UNKNOWN_FORM_MESSAGE = "not a moment to wait for: give it one of the keys until, before, after, on, best_time"

AnyMoment = Annotated[
    Annotated[CalendarText, Tag("calendar")]
    | Annotated[WindowText, Tag("window")]
    | Annotated[InstantMoment, Tag("instant")]
    | Annotated[DateMoment, Tag("date")]
    | Annotated[BestTimeMoment, Tag("best")],
    Discriminator(form_of, custom_error_type=UNKNOWN_FORM, custom_error_message=UNKNOWN_FORM_MESSAGE),
]
"""A moment in the form it is written in."""
