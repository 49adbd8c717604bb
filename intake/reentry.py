"""May a contact enter a journey again? Pure rules over its newest enrollment, which `intake.admission` looks up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from crm.models.enrollment import Enrollment
from crm.models.event import Event
from journeys.conditions.comparison import lookup, matches
from journeys.model import Again, Cooldown, Goal, PerProperty
from journeys.plan import Plan
from journeys.proofs.withdrawal import only_messages_over
from journeys.values import MessageChannel
from kit.errors import Invalid

LONGEST_KEY = 500


class EnrollmentRefusal(StrEnum):
    """Why a contact did not enter a journey: the closed list, explained in `docs/architecture/intake.md`."""

    JOURNEY_NOT_LIVE = "journey_not_live"
    JOURNEY_PAUSED = "journey_paused"
    ALREADY_RUNNING = "already_running"
    ALREADY_ENTERED = "already_entered"
    COOLING_DOWN = "cooling_down"
    NO_ENTRY_KEY = "no_entry_key"
    AUDIENCE = "audience"
    GOAL_ALREADY_MET = "goal_already_met"
    EXIT_ALREADY_MET = "exit_already_met"
    UNDECIDABLE = "undecidable"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    TEST_RUN = "test_run"
    JOURNEY_FULL = "journey_full"


@dataclass(frozen=True)
class NotEnrolled:
    """The entry was refused: a reason of the closed list, and a sentence for people without personal data."""

    reason: EnrollmentRefusal
    because: str


def entry_key_of(again: Again, properties: Mapping[str, Any], given: str | None) -> str | NotEnrolled:
    """The key that tells parallel enrollments of a contact apart; empty unless `again` says `per`.

    `given` stands in for the property. Numbers and texts that look the same are the same key.
    """
    if not isinstance(again, PerProperty):
        return ""
    value = given if given is not None else lookup(properties, again.per)
    key = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    if 0 < len(key) <= LONGEST_KEY:
        return key
    return NotEnrolled(
        EnrollmentRefusal.NO_ENTRY_KEY,
        f"the entry has no usable '{again.per}' (a text or number of at most {LONGEST_KEY} characters), "
        "and the contact may enter once per value of it",
    )


def reentry_refusal(again: Again, previous: Enrollment, now: datetime) -> NotEnrolled | None:
    """Why a contact may not enter again at `now` after `previous`, which has ended; None where it may."""
    ended_at = previous.ended_at
    assert ended_at is not None
    match again:
        case "never":
            return NotEnrolled(EnrollmentRefusal.ALREADY_ENTERED, "a contact enters this journey only once")
        case PerProperty(per=name):
            return NotEnrolled(
                EnrollmentRefusal.ALREADY_ENTERED, f"a contact enters this journey only once per '{name}'"
            )
        case Cooldown(cooldown=cooldown) if now < ended_at + cooldown:
            until = (ended_at + cooldown).astimezone(UTC)
            return NotEnrolled(EnrollmentRefusal.COOLING_DOWN, f"may enter again from {until:%Y-%m-%d %H:%M} UTC on")
        case _:
            return None


def no_place_left(at_most: int) -> NotEnrolled:
    """Nobody enters any more: so many have."""
    return NotEnrolled(EnrollmentRefusal.JOURNEY_FULL, f"{at_most} have entered the journey, and no more may")


def nothing_to_reach(plan: Plan, channel: MessageChannel) -> NotEnrolled | None:
    """Why a contact whose address is suppressed does not enter; None where the journey does more than write to it.

    The rule by which an enrollment that runs ends when its address is suppressed.
    """
    if plan.start not in only_messages_over(plan, channel):
        return None
    because = f"the address is on the suppression list, and the journey only writes to it by {channel}"
    return NotEnrolled(EnrollmentRefusal.SUPPRESSED, because)


@dataclass(frozen=True)
class EntryMoment:
    """An entry as the rules see it: when it occurred (aware), with which properties, by which event."""

    at: datetime
    properties: Mapping[str, Any]
    event_id: str | None


def met_before(goal: Goal, events: Iterable[Event], entry: EntryMoment) -> NotEnrolled | None:
    """Why a contact does not enter that has met the goal already; None where it has not.

    Of its events those count that occurred before the entry, as long before as `met_before` says. The entry event
    itself does not; nor does one that cannot be compared.
    """
    if goal.met_before is None:
        return None
    since = entry.at - goal.met_before if isinstance(goal.met_before, timedelta) else None
    for event in events:
        in_time = event.occurred_at <= entry.at and (since is None or event.occurred_at >= since)
        if in_time and event.event_id != entry.event_id and _meets(goal, event, entry):
            because = f"{goal.event} of {event.occurred_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC has met the goal before"
            return NotEnrolled(EnrollmentRefusal.GOAL_ALREADY_MET, because)
    return None


def _meets(goal: Goal, event: Event, entry: EntryMoment) -> bool:
    try:
        return event.name == goal.event and matches(goal.where, event.properties, entry.properties)
    except Invalid:
        return False
