"""`event`: how often something has happened to the contact."""

from datetime import datetime, timedelta

from pydantic import Field

from journeys.conditions.base import BaseCondition, EventFact, Facts, Needs, Verdict, earliest, instant
from journeys.conditions.comparison import describe_where, matches
from journeys.duration import Duration, describe_duration
from journeys.tasks import concerns
from journeys.values import EventName, Since, Strict, Where, Whole

TICK = timedelta(milliseconds=1)
"""An event counts up to the very end of `within`, and no longer after it."""


def _is_part_of_entry(event: EventFact, facts: Facts) -> bool:
    """Whether it is the entry event, or occurred at that very instant and stands before it in the log.

    Several events may carry the very instant of the entry, since imports know only days. As long as nobody names the
    entry, nor its place in the log, none of that instant counts.
    """
    if facts.entry_event_id and event.event_id == facts.entry_event_id:
        return True
    if event.occurred_at != facts.entered_at:
        return False
    if event.sequence is not None and facts.entry_sequence:
        return event.sequence <= facts.entry_sequence
    return not facts.entry_event_id


class EventPattern(Strict):
    """Events of the contact by name, properties and time. `within` counts back from the moment of judgement.

    `since: entry` leaves out what came before the entry, and the entry event itself; `since: step` what came before
    the step was reached; `since: ever` nothing. Where there is no such moment yet, everything counts.
    """

    event: EventName
    where: Where = Field(default_factory=dict)
    within: Duration | None = None
    since: Since = "entry"

    def matching(self, facts: Facts) -> list[EventFact]:
        """The events that fit, oldest first.

        Raises:
            kit.errors.Invalid: a property cannot be compared as asked.
        """
        found = [event for event in facts.events if self._is_meant(event, facts) and self._in_time(event, facts)]
        fitting = [event for event in found if matches(self.where, event.properties, facts.entry)]
        return sorted(fitting, key=lambda event: (event.occurred_at, event.event_id))

    def changes_at(self, facts: Facts) -> datetime | None:
        """When the first of the events that fit is too long ago for `within`; None where none ever is."""
        if self.within is None:
            return None
        return earliest(event.occurred_at + self.within + TICK for event in self.matching(facts))

    def _is_meant(self, event: EventFact, facts: Facts) -> bool:
        return event.name == self.event and concerns(event.name, event.properties, self.where, facts.enrollment)

    def _in_time(self, event: EventFact, facts: Facts) -> bool:
        if self.within is not None and event.occurred_at < facts.now - self.within:
            return False
        start = self._start(facts)
        return start is None or (event.occurred_at >= start and not _is_part_of_entry(event, facts))

    def _start(self, facts: Facts) -> datetime | None:
        match self.since:
            case "entry":
                return facts.entered_at
            case "step":
                return facts.step_since or facts.entered_at
            case _:
                return None

    def when(self, facts: Facts | None = None) -> str:
        """The span of time that counts, in words with a leading space; with facts, as it counted on these."""
        unbounded = facts is not None and self._start(facts) is None
        since = "" if unbounded else {"entry": " since entry", "step": " since the step began", "ever": ""}[self.since]
        return f"{since} within {describe_duration(self.within)}" if self.within is not None else since

    def named(self) -> str:
        """The event's name, and that its properties are looked at; without their values."""
        return f"{self.event} with {', '.join(self.where)} as asked" if self.where else self.event


class EventCondition(EventPattern, BaseCondition):
    """At least so many (`at_least`, default 1) and at most so many matching events have happened."""

    at_least: Whole = Field(default=1, ge=0)
    at_most: Whole | None = Field(default=None, ge=0)

    def needs(self) -> Needs:
        return Needs(events=frozenset({self.event}))

    def judge(self, facts: Facts) -> Verdict:
        found = self.matching(facts)
        enough = len(found) >= self.at_least
        few_enough = self.at_most is None or len(found) <= self.at_most
        latest = f", the latest on {instant(found[-1].occurred_at)}" if found else ""
        return Verdict(
            holds=enough and few_enough,
            because=f"{len(found)} {self.named()}{self.when(facts)}{latest}; asked: {self._asked()}",
            cause_event_id=found[-1].event_id or None if found else None,
        )

    def describe(self) -> str:
        return f"{self._asked()} {self.event}{describe_where(self.where)}{self.when()}"

    def _asked(self) -> str:
        if self.at_most is None:
            return f"at least {self.at_least}"
        return f"at most {self.at_most}" if not self.at_least else f"{self.at_least} to {self.at_most}"
