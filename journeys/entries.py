"""Entries that no event of a producer brings about, but mostly the time: something fails to come, a date, a moment.

What keeps the time is in `intake.clocks`, when a date comes round in `journeys.occasions`.

Each of them enters by an event of its own, derived when its moment has come, so audience, re-entry and refusals are
what they are for every entry. A kind is one class here, one file in `intake`, and one section of the page on entries.
"""
# ruff: noqa: D102 -- the methods of a kind promise what the base class says

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from journeys.dates import LeapDay
from journeys.duration import parse_duration, write_duration
from journeys.feasts import SHORTEST_YEAR, Feast
from journeys.moments import Until
from journeys.places import Path
from journeys.refusals import refused
from journeys.spans import Clock, Offset, Span
from journeys.timing import wall_instant
from journeys.values import CONTACT_UPDATED, EventName, Flag, PropertyPath, Strict, Where
from journeys.window import Spread

ANY_EVENT = "*"
"""Stands for every event, where names of events are listed."""
DAY = timedelta(days=1)


class TimedEntry(Strict):
    """What every kind of such entry has."""

    key: ClassVar[str]
    """The key it is written under, in `entry`."""
    trigger: ClassVar[EventName]
    """Name of the event that is derived when its moment has come."""
    given: ClassVar[frozenset[str]]
    """Names of the properties of that event, for `$entry.x`."""
    listed: ClassVar[frozenset[str]]
    """Names of the fields that say what clocks are set for."""

    @property
    def event(self) -> EventName:
        """Name of the event a contact enters by."""
        return self.trigger

    def lets_in(self, journey_key: str, properties: Mapping[str, Any]) -> bool:
        """Whether a derived event of that name, with these properties, is one that this journey is entered by."""
        return properties.get("journey") == journey_key

    @property
    def fingerprint(self) -> str:
        """Stands for what clocks are set for. One that was set for another fingerprint is void."""
        meant = self.model_dump(mode="json", include=set(self.listed))
        return hashlib.sha256(json.dumps([self.trigger, meant], sort_keys=True).encode()).hexdigest()[:16]

    @property
    def clock_events(self) -> tuple[EventName, ...]:
        """Names of the events that set clocks; `*` for any."""
        return ()

    @property
    def arms(self) -> bool:
        """Whether clocks are set for contacts there are already."""
        return False

    @property
    def backfilled(self) -> int:
        """Percent of the contacts there are already that a publication lets in, or sets clocks for."""
        return 100 if self.arms else 0

    @property
    def span(self) -> timedelta | Span | None:
        """How long after what set it a clock is due, where the same is said for all."""
        return None

    @property
    def soonest(self) -> timedelta | None:
        """How long after what set it a clock is looked at, where the same is said for all: never after it is due."""
        return None

    @property
    def by_calendar(self) -> bool:
        """Whether where the contact lives says when it comes."""
        return False

    @property
    def apart(self) -> timedelta:
        """How long lies between two entries of one contact at least, as far as the time alone lets it in."""
        return timedelta()

    def wheres(self) -> Mapping[Path, Where]:
        """What is asked of the properties of events, by where it is written below `entry`."""
        return {}

    def durations(self) -> Mapping[Path, timedelta]:
        """The spans of time it names, by where they are written below `entry`."""
        return {}


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


LARGEST_CHANGE = timedelta(hours=26)
"""By so much the clocks of one place change at most: a land that goes over the date line leaves out a whole day."""


def _fewest_days(span: Span) -> timedelta:
    return timedelta(days=span.days()[0])


_SeveralNames = Annotated[tuple[EventName, ...], Field(min_length=1, max_length=50)]
EventNames = Annotated[_SeveralNames, BeforeValidator(_as_list, json_schema_input_type=EventName | _SeveralNames)]
"""Names of events; one may be written without the list around it."""


class Absence(TimedEntry):
    """Nothing of a kind for a period: each such event sets the contact's clock back to the whole period.

    A clock begins with the first such event. With `also_without` it begins for contacts without one, too: when the
    contact was made. Silence from before the journey was published counts only with `backfill: matching`.

    A period of the calendar ends on the day and at the time of day that the contact's clock shows, wherever it lives
    then; in a month without such a day, on its last one.
    """

    key: ClassVar[str] = "absence"
    trigger: ClassVar[EventName] = "absence.noticed"
    given: ClassVar[frozenset[str]] = frozenset({"journey", "of", "since"})
    listed: ClassVar[frozenset[str]] = frozenset({"of", "where", "also_without"})

    of: EventNames = Field(description="Events whose absence is meant.")
    for_: Offset = Field(
        alias="for",
        description="How long none of them has come: `90d` is exact time, `3 months` the contact's calendar.",
    )
    where: Where = Field(default_factory=dict, description="Which of these events are meant.")
    also_without: Flag = Field(default=False, description="Contacts that never had such an event are meant, too.")
    backfill: Literal["none", "matching"] | None = Field(
        default=None, description="Whether silence from before the publication counts; `none` where it is not said."
    )

    @property
    def clock_events(self) -> tuple[EventName, ...]:
        moves = (CONTACT_UPDATED,) if self.by_calendar else ()
        return (*self.of, *moves, ANY_EVENT) if self.also_without else (*self.of, *moves)

    @property
    def by_calendar(self) -> bool:
        return isinstance(self.for_, Span)

    @property
    def arms(self) -> bool:
        return self.backfill == "matching"

    @property
    def span(self) -> timedelta | Span:
        return self.for_

    @property
    def soonest(self) -> timedelta:
        if isinstance(self.for_, timedelta):
            return self.for_
        return max(_fewest_days(self.for_) - LARGEST_CHANGE, timedelta())

    @property
    def apart(self) -> timedelta:
        # A little less than its days, since clocks change.
        return self.for_ if isinstance(self.for_, timedelta) else _fewest_days(self.for_) - timedelta(hours=2)

    def over_at(self, since: datetime, zone: tzinfo) -> datetime:
        """When a silence since then (aware) has lasted for the period, for a contact of this zone; in UTC.

        By the calendar: so many days, weeks, months or years later, when the clock shows the same time of day. One that
        the clocks skip is the first instant after the gap; of one that they repeat, the first counts.
        """
        if isinstance(self.for_, timedelta):
            return since.astimezone(UTC) + self.for_
        local = since.astimezone(zone)
        wall = datetime.combine(self.for_.after(local.date()), local.time())
        return wall_instant(wall, zone, not_before=since)

    def wheres(self) -> Mapping[Path, Where]:
        return {("absence", "where"): self.where}

    def durations(self) -> Mapping[Path, timedelta]:
        return {("absence", "for"): self.for_} if isinstance(self.for_, timedelta) else {}


def _never_or_duration(value: Any) -> Any:
    return None if value == NEVER else parse_duration(value)


def _write_expiry(value: timedelta | None) -> str:
    return NEVER if value is None else write_duration(value)


NEVER = "never"
Expiry = Annotated[
    timedelta | None,
    BeforeValidator(_never_or_duration),
    PlainSerializer(_write_expiry, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["1d", "6h", NEVER]}),
]
"""How late a moment may still be of use: a duration, or `never`."""


LONGEST_DISTANCE = timedelta(days=366)


def _days(offset: timedelta | Span) -> timedelta:
    some_day = date(2024, 1, 1)
    return offset.after(some_day) - some_day if isinstance(offset, Span) else offset


class DateEntry(TimedEntry):
    """A date of the contact comes, once or every year, or a feast. Day and hour are those of the contact's time zone.

    A contact without a usable date is not concerned. A date that moves takes the clock along.
    """

    key: ClassVar[str] = "date"
    trigger: ClassVar[EventName] = "date.reached"
    given: ClassVar[frozenset[str]] = frozenset({"journey", "of", "date", "years", "zone"})
    listed: ClassVar[frozenset[str]] = frozenset({"of", "feast", "yearly", "at", "before", "after", "leap_day"})

    of: PropertyPath | None = Field(default=None, description="The attribute of the contact that holds the date.")
    feast: Feast | None = Field(
        default=None,
        exclude_if=lambda feast: feast is None,  # clocks set before there were feasts stay valid
        description="In place of `of`: a feast, each year anew, for every contact.",
    )
    yearly: Flag = Field(default=False, description="Whether each return of the date is meant, from the first on.")
    at: Clock = Field(default=time(9), description="Time of day.")
    before: Offset | None = Field(default=None, description="So many days before the date: `7 days`.")
    after: Offset | None = Field(default=None, description="So many days after the date.")
    leap_day: LeapDay = Field(default="feb-28", description="When a 29 February returns in years that have none.")
    expires_after: Expiry = Field(default=DAY, description="How late it may still be of use; or `never`.")

    @model_validator(mode="after")
    def _whole_days(self) -> "DateEntry":
        if (self.of is None) == (self.feast is None):
            raise refused("it is either a date of the contact or a feast.", "Write `of: …` or `feast: …`.")
        if self.feast is not None and self.model_fields_set & {"yearly", "leap_day"}:
            raise refused("a feast comes every year by itself.", "Remove `yearly` and `leap_day`.")
        if self.before is not None and self.after is not None:
            raise refused("`before` and `after` cannot both be meant.", "Keep one of them.")
        if isinstance(self.offset, timedelta) and self.offset % DAY:
            raise refused("a distance from a date is counted in days.", "Write whole days; `at` is the time of day.")
        if self.returns and _days(self.offset) > LONGEST_DISTANCE:
            raise refused("a yearly date is never further away than a year.", "Write at most 366 days.")
        return self

    @property
    def apart(self) -> timedelta:
        # A little less than the shortest year, since a contact may move to another time zone.
        if self.feast is not None:
            return SHORTEST_YEAR - 2 * DAY
        return timedelta(days=363) if self.yearly else timedelta()

    @property
    def by_calendar(self) -> bool:
        return True

    @property
    def returns(self) -> bool:
        """Whether it comes each year."""
        return self.yearly or self.feast is not None

    @property
    def named(self) -> str:
        """What it is the date of: the attribute, or the feast."""
        return self.feast or self.of or ""

    @property
    def offset(self) -> timedelta | Span:
        """The distance from the date, without its direction."""
        return self.before or self.after or timedelta()

    @property
    def clock_events(self) -> tuple[EventName, ...]:
        # Whoever is heard of for the first time gets a clock for a feast.
        return (CONTACT_UPDATED,) if self.feast is None else (CONTACT_UPDATED, ANY_EVENT)

    @property
    def arms(self) -> bool:
        return True

    @property
    def attribute(self) -> str:
        """Name of the attribute the date stands in, whatever is inside of it; empty for a feast."""
        return (self.of or "").partition(".")[0]

    def durations(self) -> Mapping[Path, timedelta]:
        named = {"before": self.before, "after": self.after, "expires_after": self.expires_after}
        return {("date", name): span for name, span in named.items() if isinstance(span, timedelta)}


class Broadcast(TimedEntry):
    """One moment for everybody the audience holds for.

    With an offset from UTC it is one instant, without one that time of day where each contact lives (`local`).
    """

    key: ClassVar[str] = "broadcast"
    trigger: ClassVar[EventName] = "broadcast.due"
    given: ClassVar[frozenset[str]] = frozenset({"journey", "at", "zone"})
    listed: ClassVar[frozenset[str]] = frozenset({"at", "local"})

    at: Until = Field(description="The moment: `2026-12-01 10:00`, or with an offset `2026-12-01T10:00:00+01:00`.")
    local: Flag | None = Field(
        default=None,
        description="Whether it is that time where each contact lives; `false` without an offset: at the installation.",
    )
    expires_after: Expiry = Field(default=DAY, description="How late it may still begin; or `never`.")
    spread: Spread | None = Field(
        default=None,
        exclude_if=lambda spread: spread is None,  # versions from before there was a spread stay what they were
        description="Over how long contacts enter from that moment on; each has its place.",
    )

    @model_validator(mode="after")
    def _one_wall(self) -> "Broadcast":
        if self.local and self.at.tzinfo is not None:
            raise refused(
                "with an offset from UTC it is one instant, not a time where each contact lives.",
                "Remove the offset, or `local`.",
            )
        return self

    @property
    def is_local(self) -> bool:
        """Whether it comes at that time where each contact lives."""
        return self.at.tzinfo is None and self.local is not False

    @property
    def by_calendar(self) -> bool:
        return self.at.tzinfo is None

    @property
    def arms(self) -> bool:
        return True

    @property
    def apart(self) -> timedelta:
        return timedelta.max  # it comes once

    def durations(self) -> Mapping[Path, timedelta]:
        return {("broadcast", "expires_after"): self.expires_after} if self.expires_after is not None else {}
