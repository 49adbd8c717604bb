"""The rules of the gate, one small function each, in the order they are asked. Pure: the facts are an argument.

A new rule (frequency cap, tracking consent, contact stage …) is one function and one line in `RULES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from journeys.outcomes import RefusalReason
from journeys.timing import next_opening
from journeys.values import MessageChannel, Purpose
from journeys.window import Window
from messaging.models import MessageClass
from messaging.verdicts import Deferred, Refused


@dataclass(frozen=True)
class GateFacts:
    """All the rules look at, read in one transaction. Instants are aware."""

    message_class: MessageClass
    channel: MessageChannel
    now: datetime
    """The workflow's time."""
    wall_now: datetime
    overdue_after: timedelta
    window: Window | None
    enrollment_ended: bool
    address: str | None
    """As the contact gave it."""
    deliverable_address: str | None
    """The same as plain ASCII; None where it is not an address."""
    suppressed: bool
    consents: frozenset[tuple[str, str]]
    zone: ZoneInfo
    zone_note: str | None
    closed: Callable[[date], bool]
    expires_at: datetime | None = None
    """After this the message is of no use any more."""
    held_out: bool = False
    """The contact is to show what happens without the journey's messages."""
    version_stopped: bool = False
    """Those inside the version are being ended."""
    journey_paused: bool = False
    in_control_group: bool = False
    """The contact is to show what happens without any marketing message."""


PAUSED_FOR_NOW = timedelta(minutes=5)
"""After this a message of a paused journey asks again; usually its enrollment is frozen by then."""

Rule = Callable[[GateFacts], Refused | Deferred | None]

CONSENT_FOR: Mapping[MessageClass, Purpose] = MappingProxyType(
    {MessageClass.MARKETING: Purpose.MARKETING, MessageClass.SALES: Purpose.SALES}
)
"""The consent a message class needs. Transactional messages need none."""


def still_enrolled(facts: GateFacts) -> Refused | None:
    """Nothing leaves on behalf of an enrollment that has ended, whatever a late workflow task asks for."""
    if not facts.enrollment_ended:
        return None
    return Refused(RefusalReason.ENROLLMENT_ENDED, "The enrollment has ended.")


def version_runs(facts: GateFacts) -> Refused | None:
    """Nothing leaves once it is said that those inside are to be ended, though not all have been told yet."""
    if not facts.version_stopped:
        return None
    return Refused(RefusalReason.ENROLLMENT_ENDED, "The version of the journey was stopped; the enrollment is ending.")


def not_overdue(facts: GateFacts) -> Refused | None:
    """A message whose time lies long ago (an outage, a restored copy) is not sent late. The future is no reason."""
    if facts.wall_now - facts.now <= facts.overdue_after:
        return None
    hours = facts.overdue_after // timedelta(hours=1)
    return Refused(
        RefusalReason.OVERDUE, f"The message was due at {facts.now:%Y-%m-%d %H:%M} UTC, more than {hours} hours ago."
    )


def not_expired(facts: GateFacts) -> Refused | None:
    """A message whose author said until when it is of use does not leave after that, whatever has held it up."""
    if facts.expires_at is None or max(facts.now, facts.wall_now) <= facts.expires_at:
        return None
    return Refused(RefusalReason.OVERDUE, f"The message was of use until {facts.expires_at:%Y-%m-%d %H:%M} UTC.")


def has_address(facts: GateFacts) -> Refused | None:
    """There is an address to send to."""
    if facts.address:
        return None
    return Refused(RefusalReason.NO_ADDRESS, f"The contact has no address for the channel {facts.channel}.")


def address_is_valid(facts: GateFacts) -> Refused | None:
    """The address can be one: a carrier would only bounce it, and that costs the sender's reputation."""
    if facts.deliverable_address:
        return None
    return Refused(
        RefusalReason.INVALID_ADDRESS, f"The contact's address for the channel {facts.channel} is not valid."
    )


def not_suppressed(facts: GateFacts) -> Refused | None:
    """Suppression binds every class, transactional messages too."""
    if not facts.suppressed:
        return None
    # Why it is on the list is free text of people and stays in PostgreSQL.
    return Refused(RefusalReason.SUPPRESSED, "The contact's address is on the suppression list.")


def has_consent(facts: GateFacts) -> Refused | None:
    """Marketing and sales messages need the consent to that purpose over this channel."""
    purpose = CONSENT_FOR.get(facts.message_class)
    if purpose is None or (purpose, facts.channel) in facts.consents:
        return None
    return Refused(RefusalReason.NO_CONSENT, f"The contact has not consented to {purpose} by {facts.channel}.")


def journey_goes_on(facts: GateFacts) -> Deferred | None:
    """Nothing leaves while the whole journey is paused, though not all inside have been told yet."""
    if not facts.journey_paused:
        return None
    return Deferred(facts.now + PAUSED_FOR_NOW, facts.zone.key, "The journey is paused.")


def window_is_open(facts: GateFacts) -> Refused | Deferred | None:
    """Marketing and sales messages wait for the journey's window in the contact's own time zone, while of use."""
    if facts.message_class is MessageClass.TRANSACTIONAL or facts.window is None:
        return None
    opening = next_opening(facts.window, facts.now, facts.zone, facts.closed)
    if opening <= facts.now:
        return None
    local = opening.astimezone(facts.zone)
    because = f"The send window opens at {local:%Y-%m-%d %H:%M} {facts.zone.key}. {facts.zone_note or ''}"
    if facts.expires_at is not None and opening > facts.expires_at:
        return Refused(RefusalReason.OVERDUE, f"{because.strip()} The message is of no use then.")
    return Deferred(opening, facts.zone.key, because.strip())


def not_held_out(facts: GateFacts) -> Refused | None:
    """Marketing and sales messages of a journey leave out its holdout; what a contact must get, it gets."""
    if facts.message_class is MessageClass.TRANSACTIONAL or not facts.held_out:
        return None
    return Refused(RefusalReason.HOLDOUT, "The contact is in the journey's holdout.")


def not_in_control_group(facts: GateFacts) -> Refused | None:
    """The global control group gets no marketing message of any journey."""
    if facts.message_class is not MessageClass.MARKETING or not facts.in_control_group:
        return None
    return Refused(RefusalReason.CONTROL_GROUP, "The contact is in the global control group.")


RULES: tuple[Rule, ...] = (
    still_enrolled,
    version_runs,
    not_overdue,
    not_expired,
    has_address,
    address_is_valid,
    not_suppressed,
    has_consent,
    journey_goes_on,
    window_is_open,
    not_held_out,
    not_in_control_group,
)
"""Asked in this order; the first that objects decides. What can only wait comes after all that refuses.

But for the groups that a comparison needs: they go at the same pace as the others, through the window too, and are
refused only what they would have got.
"""


def judge(facts: GateFacts) -> Refused | Deferred | None:
    """The first objection of the rules; None where there is none."""
    return next((objection for rule in RULES if (objection := rule(facts)) is not None), None)
