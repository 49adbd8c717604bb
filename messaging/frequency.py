"""How many messages a contact may get, and who goes first where several wait. Pure; ADR 0015 says why it is so.

- A cap is full when as many messages that count were sent within its window as it allows; a message that finds it full
  takes a place in the contact's line, or is left out where its author says so.
- Who stands ahead in the line goes first, also before messages that come when a place is free. Higher priority stands
  ahead; of equals, whoever has waited longer. A message that has waited half of what it may wait stands ahead of all
  that have not, whatever their priority: so none can be held back for ever.
- A place in the line is kept until five minutes after the instant it was told to come back, no longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta, tzinfo

from journeys.duration import describe_duration
from journeys.frequency import NEVER, AtCap, Priority, Words
from journeys.timing import wall_instant

TURN = timedelta(minutes=5)
"""How long a message keeps its place in the line beyond the instant at which its turn was to come."""


@dataclass(frozen=True)
class Cap:
    """So many messages within the span that ends now; or, by the calendar, on the contact's present day."""

    most: int
    span: timedelta
    by_calendar: bool = False

    def leaves(self, sent: datetime, zone: tzinfo) -> datetime:
        """The first instant at which a message sent then does not count any more."""
        if not self.by_calendar:
            return sent + self.span
        tomorrow = sent.astimezone(zone).date() + timedelta(days=1)
        return wall_instant(datetime.combine(tomorrow, time(0)), zone)

    def described(self) -> str:
        """The cap in words."""
        within = "a day" if self.by_calendar else describe_duration(self.span)
        return f"{self.most} marketing message{'' if self.most == 1 else 's'} within {within}"


@dataclass(frozen=True)
class Place:
    """A place in a contact's line. Instants are aware."""

    message: str
    """Which message it is: any text that tells it from the others."""
    priority: Priority
    since: datetime
    """When it first found the cap full."""
    last: datetime
    """It does not wait beyond this."""
    until: datetime
    """When its turn is to come, as far as is known."""
    unsent: bool = False
    """Of a contact that is held out for comparison: it keeps the pace of the others, and nobody waits for it."""

    def kept(self, at: datetime) -> bool:
        """Whether it still holds the place."""
        return at < self.until + TURN

    def order(self, at: datetime) -> tuple[bool, int, datetime, str]:
        """Who has the lesser goes first."""
        patient = at - self.since < (self.last - self.since) / 2
        return (patient, -self.priority.rank if patient else 0, self.since, self.message)


@dataclass(frozen=True)
class Frequency:
    """What the gate must know of how often the contact is written to, and of how this message is to be treated."""

    message: str = ""
    priority: Priority = Priority.NORMAL
    at_cap: AtCap = AtCap.DEFER
    repeat: Words | timedelta = timedelta(0)
    """When the template may go out again."""
    longest_wait: timedelta = timedelta(days=7)
    """For a message whose author did not say until when it is of use."""
    caps: tuple[Cap, ...] = ()
    sent: tuple[datetime, ...] = ()
    """When messages that count were sent."""
    sent_before: datetime | None = None
    """When this template was sent to the contact last."""
    line: tuple[Place, ...] = field(default=())
    """Everybody's places, this message's own among them where it has one."""

    @property
    def own(self) -> Place | None:
        """The place this message has in the line already."""
        return next((place for place in self.line if place.message == self.message), None)

    def repeated(self, at: datetime) -> bool:
        """Whether the template was sent to the contact too short a time ago."""
        if self.sent_before is None or not isinstance(self.repeat, timedelta):
            return self.sent_before is not None and self.repeat == NEVER
        return at < self.sent_before + self.repeat

    def place(self, at: datetime, expires_at: datetime | None) -> Place:
        """The place this message has or would get now, its turn not yet worked out."""
        if self.own is not None:
            return replace(self.own, priority=self.priority)  # the journey may have another one by now
        return Place(self.message, self.priority, since=at, last=expires_at or at + self.longest_wait, until=at)

    def ahead_of(self, place: Place, at: datetime) -> list[Place]:
        """Who goes before a place."""
        others = (
            other for other in self.line if other.message != place.message and not other.unsent and other.kept(at)
        )
        return [other for other in others if other.order(at) < place.order(at)]

    def full(self, at: datetime, zone: tzinfo) -> list[Cap]:
        """The caps that let nothing more through, whoever waits."""
        return [cap for cap in self.caps if len(_leaving(cap, self.sent, at, zone)) >= cap.most]


def turn(caps: Sequence[Cap], sent: Sequence[datetime], ahead: Sequence[Place], at: datetime, zone: tzinfo) -> datetime:
    """When a message with these ahead of it may leave, or should ask again; `at` itself where it may leave now.

    Where nobody is ahead it is the exact instant at which enough messages have left the windows of all caps.
    """
    return max((_turn(cap, sent, ahead, at, zone) for cap in caps), default=at)


def _turn(cap: Cap, sent: Sequence[datetime], ahead: Sequence[Place], at: datetime, zone: tzinfo) -> datetime:
    leaving = _leaving(cap, sent, at, zone)
    free = cap.most - len(leaving)
    if free > len(ahead):
        return at
    first = at if free > 0 else leaving[-free]
    if not ahead:
        return first
    # Either those ahead take the places there are, or they have missed their turn by then.
    missed = max([at, *(place.until for place in ahead)]) + TURN
    behind = leaving[len(ahead) - free] if len(ahead) - free < len(leaving) else missed
    return max(first, min(behind, missed))


def _leaving(cap: Cap, sent: Sequence[datetime], at: datetime, zone: tzinfo) -> list[datetime]:
    """When the messages that count now will not any more, in order."""
    return sorted(leaves for one in sent if (leaves := cap.leaves(one, zone)) > at)
