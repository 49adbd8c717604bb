"""The rules of the gate, one small function each, in the order they are asked. Pure: the facts are an argument.

A new rule (tracking consent, contact stage …) is one function and one line in `RULES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from journeys.duration import describe_duration
from journeys.frequency import AtCap, described
from journeys.outcomes import RefusalReason
from journeys.quiet import next_common_opening
from journeys.spreading import next_place
from journeys.timing import NeverOpens, next_opening
from journeys.values import MessageChannel, Purpose
from journeys.window import WhenClosed, Window
from messaging.frequency import Frequency, Place, turn
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
    holiday_note: str | None
    """What is not certain about the holidays."""
    expires_at: datetime | None = None
    """After this the message is of no use any more."""
    held_out: bool = False
    """The contact is to show what happens without the journey's messages."""
    version_stopped: bool = False
    """Those inside the version are being ended."""
    journey_paused: bool = False
    in_control_group: bool = False
    """The contact is to show what happens without any marketing message."""
    quiet: Window | None = None
    """Open outside the quiet hours the contact asked for; None where it asked for none."""
    frequency: Frequency = field(default_factory=Frequency)
    is_test: bool = False
    """The enrollment is a test user's way through a draft."""
    is_test_user: bool = False
    """An operator has made the contact a test user, at the address it has."""
    place: float = 0.0
    """The contact's place in the spread of a window, see `journeys.spreading`."""
    at_closed: WhenClosed = WhenClosed.DEFER
    """What becomes of the message while it may not leave."""

    @property
    def at(self) -> datetime:
        """When it is as the contact counts: the workflow's time, or the wall clock's where something held it up."""
        return max(self.now, self.wall_now)

    def opening(self, at: datetime) -> datetime:
        """The first instant not before `at` that is in the journey's window and outside the contact's quiet hours.

        Raises:
            NeverOpens: there is none within a year.
        """
        return next_common_opening((self.window, self.quiet), at, self.zone, self.closed)

    def leaves(self, at: datetime, *, last: datetime | None) -> datetime:
        """When a message leaves that may do so from `at` on: at once, or at its contact's place behind the opening.

        The place is not later than `last`, where the opening is not.

        Raises:
            NeverOpens: there is no opening within a year.
        """
        windows = (self.window, self.quiet)
        return next_place(windows, at, self.zone, self.closed, place=self.place, of_use_until=last)

    def local(self, instant: datetime) -> str:
        """An instant as the contact's clock shows it."""
        return f"{instant.astimezone(self.zone):%Y-%m-%d %H:%M} {self.zone.key}"


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


def drafts_go_to_test_users(facts: GateFacts) -> Refused | None:
    """What nobody has published goes to test users only, at the address they were made test users with."""
    if not facts.is_test or facts.is_test_user:
        return None
    return Refused(
        RefusalReason.NOT_A_TEST_USER,
        "The contact is no test user any more, or its mail address is another one since it was made one.",
    )


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
    """Marketing and sales messages wait for the journey's window in the contact's own time zone, while of use.

    They wait for the end of the contact's quiet hours, too; or are left out at once, as their author says.
    """
    if facts.message_class is MessageClass.TRANSACTIONAL or not (facts.window or facts.quiet):
        return None
    # A window that does not open at all is the author's mistake; one that only the contact keeps shut is a refusal.
    next_opening(facts.window, facts.now, facts.zone, facts.closed)
    try:
        opening = facts.opening(facts.now)
    except NeverOpens:
        return Refused(RefusalReason.QUIET_HOURS, "The contact's quiet hours leave no time within the send window.")
    if opening <= facts.now:
        return None
    if facts.at_closed is WhenClosed.SKIP:
        return _left_out(facts)
    words, waits_for = _opens(facts, opening)
    because = _opening_in_words(facts, words, opening)
    if facts.expires_at is not None and opening > facts.expires_at:
        return Refused(RefusalReason.OVERDUE, f"{because} The message is of no use then.")
    leaves = facts.leaves(facts.now, last=facts.expires_at)
    if facts.window is not None and facts.window.spread is not None:
        spread = describe_duration(facts.window.spread)
        because = f"{because} Messages leave spread over {spread}, this one at {facts.local(leaves)}."
        waits_for = f"{waits_for}, spread over {spread}"
    return Deferred(leaves, facts.zone.key, because, waits_for)


def _opens(facts: GateFacts, opening: datetime) -> tuple[str, str]:
    """What happens then, and what is waited for."""
    if next_opening(facts.window, facts.now, facts.zone, facts.closed) == opening:
        return "The send window opens", "the send window"
    if next_opening(facts.quiet, facts.now, facts.zone) == opening:
        return "The contact's quiet hours end", "the end of the contact's quiet hours"
    return "The send window is open and the contact's quiet hours are over", "the send window outside quiet hours"


def _left_out(facts: GateFacts) -> Refused:
    """The window is named where it is closed, and else the quiet hours."""
    reason, words = RefusalReason.WINDOW_CLOSED, "The send window opens"
    opening = next_opening(facts.window, facts.now, facts.zone, facts.closed)
    if opening <= facts.now:
        reason, words = RefusalReason.QUIET_HOURS, "The contact's quiet hours end"
        opening = next_opening(facts.quiet, facts.now, facts.zone)
    return Refused(reason, f"{_opening_in_words(facts, words, opening)} It does not wait.")


def _opening_in_words(facts: GateFacts, words: str, opening: datetime) -> str:
    holiday_note = facts.holiday_note if facts.window is not None and facts.window.holidays else None
    notes = [note for note in (facts.zone_note, holiday_note) if note]
    return " ".join([f"{words} at {facts.local(opening)}.", *notes])


def not_sent_before(facts: GateFacts) -> Refused | None:
    """The same template goes to a contact again only after some time, whichever journey sends it."""
    frequency = facts.frequency
    if facts.message_class is MessageClass.TRANSACTIONAL or not frequency.repeated(facts.at):
        return None
    assert frequency.sent_before is not None
    before = f"The contact got this template at {facts.local(frequency.sent_before)} already"
    return Refused(RefusalReason.SENT_BEFORE, f"{before}; it goes out {described(frequency.repeat)}.")


def within_cap(facts: GateFacts) -> Refused | Deferred | None:
    """So many marketing messages and no more; one too many waits for its turn, or is left out as its author says."""
    if facts.message_class is not MessageClass.MARKETING or not facts.frequency.caps:
        return None
    frequency, at = facts.frequency, facts.at
    place = frequency.place(at, facts.expires_at)
    ahead = frequency.ahead_of(place, at)
    until = turn(frequency.caps, frequency.sent, ahead, at, facts.zone)
    if until <= at:
        return None
    because = _held_back(facts, len(ahead))
    if frequency.at_cap is AtCap.SKIP:
        return Refused(RefusalReason.FREQUENCY_CAP, f"{because} It does not wait.")
    return _in_line(facts, place, until, because)


def _in_line(facts: GateFacts, place: Place, until: datetime, because: str) -> Refused | Deferred:
    opening = facts.opening(until)
    if opening > place.last:
        because = f"{because} Its turn would be at {facts.local(opening)}; it waits until {facts.local(place.last)}."
        return Refused(RefusalReason.FREQUENCY_CAP, because)
    leaves = facts.leaves(until, last=place.last)
    taken = replace(place, until=leaves, unsent=facts.held_out or facts.in_control_group)
    return Deferred(leaves, facts.zone.key, because, "its turn", taken)


def _held_back(facts: GateFacts, ahead: int) -> str:
    full = facts.frequency.full(facts.at, facts.zone)
    had = " and ".join(cap.described() for cap in full)
    parts = [f"The contact has had {had}: no more are allowed."] if full else []
    if ahead:
        parts.append(f"{ahead} message{' goes' if ahead == 1 else 's go'} first.")
    return " ".join(parts)


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
    drafts_go_to_test_users,
    version_runs,
    not_overdue,
    not_expired,
    has_address,
    address_is_valid,
    not_suppressed,
    has_consent,
    journey_goes_on,
    window_is_open,
    not_sent_before,
    within_cap,
    not_held_out,
    not_in_control_group,
)
"""Asked in this order; the first that objects decides. What can only wait comes after what refuses at any time.

What was sent before is asked when the window is open: by then it may be long enough ago. The groups that a comparison
needs go at the same pace as the others, through window and cap too, and are refused only what they would have got.
"""


def judge(facts: GateFacts) -> Refused | Deferred | None:
    """The first objection of the rules; None where there is none."""
    return next((objection for rule in RULES if (objection := rule(facts)) is not None), None)
