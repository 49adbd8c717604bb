"""Entries that no event brings about, but the time: something fails to come. What keeps the time is in `intake.clocks`.

Each of them enters by an event of its own, derived when its moment has come, so audience, re-entry and refusals are
what they are for every entry. A kind is one class here, one file in `intake`, and one section of the page on entries.
"""
# ruff: noqa: D102 -- the methods of a kind promise what the base class says

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from journeys.duration import Duration
from journeys.places import Path
from journeys.values import EventName, Flag, Strict, Where

ANY_EVENT = "*"
"""Stands for every event, where names of events are listed."""


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


_SeveralNames = Annotated[tuple[EventName, ...], Field(min_length=1, max_length=50)]
EventNames = Annotated[_SeveralNames, BeforeValidator(_as_list, json_schema_input_type=EventName | _SeveralNames)]
"""Names of events; one may be written without the list around it."""


class Absence(TimedEntry):
    """Nothing of a kind for a period: each such event sets the contact's clock back to the whole period.

    A clock begins with the first such event. With `also_without` it begins for contacts without one, too: when the
    contact was made. Silence from before the journey was published counts only with `backfill: matching`.
    """

    key: ClassVar[str] = "absence"
    trigger: ClassVar[EventName] = "absence.noticed"
    given: ClassVar[frozenset[str]] = frozenset({"journey", "of", "since"})
    listed: ClassVar[frozenset[str]] = frozenset({"of", "where", "also_without"})

    of: EventNames = Field(description="Events whose absence is meant.")
    for_: Duration = Field(alias="for", description="How long none of them has come.")
    where: Where = Field(default_factory=dict, description="Which of these events are meant.")
    also_without: Flag = Field(default=False, description="Contacts that never had such an event are meant, too.")
    backfill: Literal["none", "matching"] = Field(
        default="none", description="Whether silence from before the publication counts."
    )

    @property
    def clock_events(self) -> tuple[EventName, ...]:
        return (*self.of, ANY_EVENT) if self.also_without else self.of

    @property
    def arms(self) -> bool:
        return self.backfill == "matching"

    @property
    def apart(self) -> timedelta:
        return self.for_

    def wheres(self) -> Mapping[Path, Where]:
        return {("absence", "where"): self.where}

    def durations(self) -> Mapping[Path, timedelta]:
        return {("absence", "for"): self.for_}
