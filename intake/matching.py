"""Which criteria of a running enrollment an event meets. Pure: what is true, never what is done about it.

Finding the enrollments is in `intake.listeners`, telling them in `intake.outbox`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm.models.enrollment import Enrollment
from crm.models.event import Event
from journeys.changes import SCORE_CHANGED
from journeys.conditions.all_of import All
from journeys.conditions.any_of import AnyOf
from journeys.conditions.comparison import matches
from journeys.conditions.consent import ConsentCondition
from journeys.conditions.registry import Condition
from journeys.entries import Absence
from journeys.plan import Criterion, Plan, Role
from journeys.proofs.withdrawal import AtSteps, ConsentKey, ended_at
from journeys.tasks import concerns
from kit.errors import Invalid


@dataclass(frozen=True)
class Silence:
    """What an enrollment by absence stands on: none of its events since then (aware)."""

    absence: Absence
    since: datetime


def silence_of(enrollment: Enrollment, absence: Absence | None) -> Silence | None:
    """The silence the enrollment was entered by; None where it was not, as over the API."""
    if absence is None or not (enrollment.entry_event_id or "").startswith(f"{absence.trigger}:"):
        return None
    return Silence(absence, datetime.fromisoformat(enrollment.entry_properties["since"]))


@dataclass(frozen=True)
class Passage:
    """A contact's way through a version of a journey, as far as events concern it. `entered_at` is aware."""

    plan: Plan
    entry: Mapping[str, Any]
    """Properties of the event it started with, for `$entry.x`."""
    entered_at: datetime
    entry_sequence: int
    """Place of the entry in the event log."""
    enrollment: str = ""
    """Id of the enrollment; empty where there is none yet."""
    won: AtSteps = field(default_factory=dict)
    """Step → consents that every way to it has established."""
    needed: AtSteps = field(default_factory=dict)
    """Step → consents that all messages ahead of it need."""
    silence: Silence | None = None
    exit_when: Condition | None = None
    """Whoever it holds for leaves."""


def passage_of(enrollment: Enrollment, plan: Plan) -> Passage:
    """The enrollment as events concern it, in the version this is the plan of."""
    return Passage(
        plan=plan,
        entry=enrollment.entry_properties,
        entered_at=enrollment.entered_at,
        entry_sequence=enrollment.entry_sequence,
        enrollment=str(enrollment.id),
    )


@dataclass(frozen=True)
class Match:
    """Criteria an event meets, in the order of the plan, and those nobody can tell because of how they compare."""

    criteria: tuple[str, ...] = ()
    undecidable: tuple[str, ...] = ()


def match(event: Event, passage: Passage, *, scored: Collection[str] = frozenset()) -> Match:
    """The criteria of the whole plan that the event meets, whatever step the enrollment is at.

    `scored` are the names of events that points models count: such an event changes a score.
    """
    met, undecidable = [], []
    names = {event.name, SCORE_CHANGED} if event.name in scored else {event.name}
    for name, criterion in passage.plan.criteria.items():
        if criterion.event not in names or not _is_in_time(event, criterion, passage):
            continue
        try:
            if _meets(event, criterion, passage):
                met.append(name)
        except Invalid:
            undecidable.append(name)
    return Match(tuple(met), tuple(undecidable))


def follows_entry(event: Event, passage: Passage) -> bool:
    """Whether the event occurred after the entry, or at the same instant and stands behind it in the log.

    When it is heard of does not matter: an import tells of long ago. The entry event itself does not follow itself.
    """
    if event.sequence == passage.entry_sequence:
        return False
    if event.occurred_at == passage.entered_at:
        return event.sequence > passage.entry_sequence
    return event.occurred_at > passage.entered_at


def is_news(event: Event, passage: Passage) -> bool:
    """Whether it was stored after the entry, or occurred after it: the record may say other things now than at entry.

    A contact moves to another zone now where an import tells so now, whenever it has moved.
    """
    return event.sequence > passage.entry_sequence or follows_entry(event, passage)


def _is_in_time(event: Event, criterion: Criterion, passage: Passage) -> bool:
    """Whether the event comes when it can meet the criterion.

    What only has the contact's record looked at anew is about what stands there now; all else is about what the contact
    did after the entry. A date that an event gives is as old as the event: the entry itself knew of anything older.
    """
    about_record = criterion.role is Role.LOOK or (criterion.role is Role.MOVED and bool(criterion.changed))
    return is_news(event, passage) if about_record else follows_entry(event, passage)


def _meets(event: Event, criterion: Criterion, passage: Passage) -> bool:
    if criterion.within is not None and event.occurred_at - passage.entered_at > criterion.within:
        return False
    if criterion.changed and not _changed(event, criterion.changed):
        return False
    if not concerns(event.name, event.properties, criterion.where, passage.enrollment):
        return False
    return matches(criterion.where, event.properties, passage.entry)


def _changed(event: Event, attributes: Collection[str]) -> bool:
    """Whether the event names one of the attributes as changed."""
    named = event.properties.get("changed")
    return isinstance(named, list) and any(attribute in named for attribute in attributes)


def demanded_consents(audience: Condition | None) -> frozenset[ConsentKey]:
    """The consents without which the audience cannot hold: of `all` every one, of `any` those in all branches."""
    match audience:
        case ConsentCondition(consent=consent):
            return frozenset({(consent.purpose.value, consent.channel.value)})
        case All(all=conditions):
            return frozenset().union(*(demanded_consents(condition) for condition in conditions))
        case AnyOf(any=conditions) if conditions:
            first, *others = (demanded_consents(condition) for condition in conditions)
            return first.intersection(*others)
        case _:
            return frozenset()


@dataclass(frozen=True)
class LostGround:
    """Why an enrollment ends, and at which of its steps; None: wherever it stands."""

    reason: str
    steps: tuple[str, ...] | None


def lost_ground(
    passage: Passage, demands: Collection[ConsentKey], withdrawn: Collection[ConsentKey], lost: Collection[ConsentKey]
) -> LostGround | None:
    """What a withdrawal takes away from an enrollment; None: nothing that it stands on.

    `demands` are the consents its audience cannot do without; `lost` are the withdrawn ones that stood until now.
    """
    demanded = sorted(set(withdrawn) & set(demands))
    if demanded:
        return LostGround(_told(demanded), None)
    steps = ended_at(passage.won, passage.needed, lost)
    return LostGround(_told(sorted(lost)), tuple(steps)) if steps else None


def broken_silence(event: Event, passage: Passage) -> LostGround | None:
    """An event that is heard of after its absence was noticed, and occurred before: there was no such silence.

    It is no goal and no conversion, since nothing of the journey has brought it about; but the journey has no ground.
    """
    silence = passage.silence
    if silence is None or event.name not in silence.absence.of or event.sequence <= passage.entry_sequence:
        return None
    if event.occurred_at <= silence.since or follows_entry(event, passage):
        return None
    try:
        if not matches(silence.absence.where, event.properties, {}):
            return None
    except Invalid:
        return None
    return LostGround(f"{event.name} had come before the silence was noticed", None)


def _told(consents: Collection[ConsentKey]) -> str:
    return "; ".join(f"consent to {purpose} by {channel} withdrawn" for purpose, channel in consents)
