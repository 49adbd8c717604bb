"""What an event does in a simulation: to the record, to running enrollments, at the journey's door. Intake in memory.

The rules are those of `intake`, `crm` and `journeys`; what is told to Temporal is returned as errands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from cli.simulation.world import Happening, Moment, Ride, World
from crm.consent import ConsentState
from crm.events import DERIVED
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from intake.admission import Entry
from intake.apply import goal_reached
from intake.effects import GRANTED, IDENTIFIED, REGISTERED, UPDATED, WITHDRAWN, traits_of, withdrawn_by
from intake.leaving import left_because, may_leave
from intake.matching import (
    LostGround,
    Passage,
    broken_silence,
    demanded_consents,
    lost_ground,
    match,
    passage_of,
    silence_of,
)
from intake.reentry import (
    EnrollmentRefusal,
    EntryMoment,
    NotEnrolled,
    entry_key_of,
    met_before,
    no_place_left,
    nothing_to_reach,
    reentry_refusal,
)
from journeys.conditions.base import Verdict
from journeys.model import PerProperty
from journeys.outcomes import JourneyState
from journeys.plan import Role
from journeys.proofs.withdrawal import ConsentKey
from journeys.segment_entry import ENTERED, LEFT
from journeys.segments import touched_by
from journeys.values import ConsentRequirement, MessageChannel, Purpose
from kit.errors import Invalid
from workflows.messages import EXIT_REQUESTED, Delivery
from workflows.names import journey_workflow_id


@dataclass(frozen=True)
class Begin:
    """Start the workflow of this enrollment."""

    ride: Ride


@dataclass(frozen=True)
class Deliver:
    """Tell the workflow of this enrollment."""

    ride: Ride
    delivery: Delivery


Errand = Begin | Deliver


def apply(world: World, event: Event, now: datetime) -> list[Errand]:
    """Every effect of an event at this moment. Events that follow from it arrive next."""
    try:
        stood = world.record.consents()
        withdrawn = _take_effect(world, event)
    except Invalid as error:
        world.tell(Moment(event.occurred_at, Happening.UNUSABLE, event.name, because=str(error)))
        return []
    errands: list[Errand] = [
        Deliver(ride, delivery)
        for ride in world.rides.values()
        if ride.running
        and (delivery := _delivery(world, ride, event, now, withdrawn=withdrawn, lost=withdrawn & stood)) is not None
    ]
    _meet_goals(world, event, errands)
    # An entry event counts for the score its audience may ask for.
    world.arriving.extend(world.record.score(event))
    follow_segments(world, now)
    errands += _judge_again(world, event, now)
    if world.journey.entry.trigger == event.name:
        errands += _come_in(world, event, now)
    return errands


def _meet_goals(world: World, event: Event, errands: list[Errand]) -> None:
    """Have it happen, once for each enrollment, that its goal is met."""
    for errand in errands:
        criteria, plan = (errand.delivery.criteria, errand.ride.plan) if isinstance(errand, Deliver) else ((), None)
        if plan is not None and any(plan.criteria[one].role is Role.GOAL for one in criteria if one in plan.criteria):
            world.follow(goal_reached(event, errand.ride.id, plan.journey))


def follow_segments(world: World, now: datetime) -> None:
    """Judge the contact's segments at this moment. Each change is an event that arrives next."""
    for segment, entered in world.record.judge_segments(now):
        tell_membership(world, segment.key, entered=entered, at=now)


def tell_membership(world: World, key: str, *, entered: bool, at: datetime) -> None:
    """The event that the contact has come into a segment, or left it."""
    world.happen(ENTERED if entered else LEFT, {"segment": key}, at=at, source=DERIVED)


def enroll(world: World, properties: Mapping[str, Any], key: str | None, now: datetime) -> list[Errand]:
    """Have the contact enter without an event, as over the API."""
    return _admit(world, None, properties, key, now)


def _take_effect(world: World, event: Event) -> frozenset[ConsentKey]:
    """What the event's name says of the record; the consents that no longer stand."""
    if event.name in {IDENTIFIED, REGISTERED}:
        report = world.record.apply_traits(traits_of(event.properties))
        if report.changed:
            world.happen(
                UPDATED,
                {"changed": sorted(report.changed)},
                at=event.occurred_at,
                event_id=f"{UPDATED}:{event.event_id}",
                source=DERIVED,
            )
    if event.name == GRANTED or (event.name == REGISTERED and event.properties.get("consent") is True):
        world.record.declare(_granted(event.properties), ConsentState.GRANTED, at=event.occurred_at)
    if event.name != WITHDRAWN:
        return frozenset()
    spoken_of = withdrawn_by(event.properties)
    for consent in sorted(spoken_of):
        world.record.declare(consent, ConsentState.WITHDRAWN, at=event.occurred_at)
    return spoken_of - world.record.consents()


def _granted(properties: Mapping[str, Any]) -> ConsentKey:
    default = ConsentRequirement()
    purpose, channel = properties.get("purpose") or default.purpose, properties.get("channel") or default.channel
    try:
        return Purpose(purpose).value, MessageChannel(channel).value
    except ValueError:
        raise Invalid("The declaration of consent cannot be recorded: purpose or channel is none we know.") from None


def _exit_ground(world: World, ride: Ride, event: Event, passage: Passage, now: datetime) -> LostGround | None:
    """Why the exit condition ends the ride; None where it does not hold, or the event has not changed what it says."""
    if not may_leave(event, passage, scored=event.name in _scored(world)):
        return None
    verdict = _exit_verdict(world, ride, now)
    return LostGround(left_because(verdict), None) if verdict is not None and verdict.holds else None


def _exit_verdict(world: World, ride: Ride, now: datetime) -> Verdict | None:
    condition = world.journey.exit_when
    if condition is None:
        return None
    try:
        return condition.judge(world.record.facts(condition.needs(), now, enrollment=ride.enrollment))
    except Invalid:
        return None


def _delivery(
    world: World,
    ride: Ride,
    event: Event,
    now: datetime,
    *,
    withdrawn: frozenset[ConsentKey] = frozenset(),
    lost: frozenset[ConsentKey] = frozenset(),
) -> Delivery | None:
    silence = silence_of(ride.enrollment, world.journey.entry.absence)
    passage = replace(
        passage_of(ride.enrollment, ride.plan),
        won=world.won,
        needed=world.needed,
        silence=silence,
        exit_when=world.journey.exit_when,
    )
    criteria = list(match(event, passage, scored=_scored(world)).criteria)
    ground = lost_ground(passage, demanded_consents(world.journey.entry.audience), withdrawn, lost)
    ground = ground or broken_silence(event, passage) or _exit_ground(world, ride, event, passage, now)
    if ground is not None:
        criteria.append(EXIT_REQUESTED)
    if not criteria:
        return None
    return Delivery(
        enrollment_id=ride.id,
        event_id=event.event_id,
        at=event.occurred_at,
        criteria=criteria,
        reason=ground.reason if ground else "",
        exit_at=list(ground.steps) if ground and ground.steps is not None else None,
    )


def _scored(world: World) -> frozenset[str]:
    """Names of the events that give points."""
    return frozenset().union(*(model.events for model in world.record.models))


def _come_in(world: World, event: Event, now: datetime) -> list[Errand]:
    try:
        if not world.door.opens_to(event):
            return []
    except Invalid as error:
        return _turn_away(world, NotEnrolled(EnrollmentRefusal.UNDECIDABLE, str(error)), now)
    retry = world.journey.entry.retry
    result = _judged(world, Entry(event, event.properties), now)
    if isinstance(result, NotEnrolled) and result.reason is EnrollmentRefusal.AUDIENCE and retry is not None:
        world.retries.append((event, now + retry))
    return _turn_away(world, result, now) if isinstance(result, NotEnrolled) else result


def _judge_again(world: World, event: Event, now: datetime) -> list[Errand]:
    """Let in who was refused because of an audience that the event makes hold."""
    audience, errands = world.journey.entry.audience, list[Errand]()
    scored = event.name in _scored(world)
    if audience is None or not touched_by(audience, event.name, event.properties, scored=scored):
        return errands
    for cause, until in [retry for retry in world.retries if now <= retry[1]]:
        result = _judged(world, Entry(cause, cause.properties, behind=event.sequence), now)
        if isinstance(result, NotEnrolled) and result.reason is EnrollmentRefusal.AUDIENCE:
            continue
        world.retries.remove((cause, until))
        errands += _turn_away(world, result, now) if isinstance(result, NotEnrolled) else result
    return errands


def _admit(
    world: World, cause: Event | None, properties: Mapping[str, Any], given_key: str | None, now: datetime
) -> list[Errand]:
    result = _judged(world, Entry(cause, properties, given_key), now)
    return _turn_away(world, result, now) if isinstance(result, NotEnrolled) else result


def _judged(world: World, entry: Entry, now: datetime) -> NotEnrolled | list[Errand]:
    """The outcome at the door, in the order in which `intake.admission` asks."""
    cause, properties, given_key = entry.cause, entry.properties, entry.key
    key = entry_key_of(world.journey.entry.again, properties, given_key)
    if isinstance(key, NotEnrolled):
        return key
    refusal = _refusal(world, key, properties, now) or _met_before(world, cause, properties, now)
    refusal = refusal or _suppressed(world)
    if refusal is not None:
        return refusal
    ride = _ride(world, key, cause, properties, now)
    if (at_most := world.journey.entry.at_most) is not None and len(world.rides) >= at_most:
        return no_place_left(at_most)
    met = _exit_verdict(world, ride, now)
    if met is not None and met.holds:
        return NotEnrolled(EnrollmentRefusal.EXIT_ALREADY_MET, f"the exit condition holds already: {met.because}")
    overtaken = _overtaken(world, ride, entry, now)
    if over := _over_already(ride, overtaken):
        return over
    world.rides[ride.id] = ride
    world.tell(Moment(now, Happening.ENTERED, world.journey.key, because=cause.name if cause else ""))
    return [Begin(ride), *(Deliver(ride, delivery) for delivery in overtaken)]


def _refusal(world: World, key: str, properties: Mapping[str, Any], now: datetime) -> NotEnrolled | None:
    again, audience = world.journey.entry.again, world.journey.entry.audience
    previous = [
        ride for ride in world.rides.values() if not isinstance(again, PerProperty) or ride.enrollment.entry_key == key
    ]
    if any(ride.running for ride in previous):
        return NotEnrolled(EnrollmentRefusal.ALREADY_RUNNING, "the contact is inside already")
    if previous and (refusal := reentry_refusal(again, previous[-1].enrollment, now)):
        return refusal
    if audience is None:
        return None
    try:
        verdict = audience.judge(world.record.facts(audience.needs(), now, entry=properties))
    except Invalid as error:
        return NotEnrolled(EnrollmentRefusal.UNDECIDABLE, str(error))
    return None if verdict.holds else NotEnrolled(EnrollmentRefusal.AUDIENCE, verdict.because)


def _suppressed(world: World) -> NotEnrolled | None:
    return nothing_to_reach(world.plan, MessageChannel.EMAIL) if world.record.suppressed else None


def _met_before(world: World, cause: Event | None, properties: Mapping[str, Any], now: datetime) -> NotEnrolled | None:
    goal = world.journey.goal
    if goal is None:
        return None
    entered_at = min(cause.occurred_at, now) if cause else now
    return met_before(goal, world.record.events, EntryMoment(entered_at, properties, cause.event_id if cause else None))


def _ride(world: World, key: str, cause: Event | None, properties: Mapping[str, Any], now: datetime) -> Ride:
    enrollment_id = uuid4()
    entered_at = min(cause.occurred_at, now) if cause else now
    workflow_id = f"{journey_workflow_id(world.journey.key, world.record.id, key)}:{enrollment_id}"
    enrollment = Enrollment(
        id=enrollment_id,
        journey_key=world.journey.key,
        version=world.plan.version,
        contact_id=world.record.id,
        entry_key=key,
        workflow_id=workflow_id,
        state=JourneyState.STARTING,
        since=now,
        entry_event_id=cause.event_id if cause else None,
        entry_properties=dict(properties),
        entered_at=entered_at,
        entry_sequence=cause.sequence if cause else len(world.record.events),
    )
    return Ride(enrollment, world.plan)


def _overtaken(world: World, ride: Ride, entry: Entry, now: datetime) -> list[Delivery]:
    """Events applied before a late entry that occurred after it and meet criteria of the plan."""
    if entry.cause is None:
        return []
    until = entry.cause.sequence if entry.behind is None else entry.behind
    earlier = [event for event in world.record.events if event.sequence <= until]
    found = [_delivery(world, ride, event, now) for event in earlier]
    return [delivery for delivery in found if delivery is not None]


def _over_already(ride: Ride, overtaken: list[Delivery]) -> NotEnrolled | None:
    criteria = [ride.plan.criteria[name] for delivery in overtaken for name in delivery.criteria]
    met = {criterion.role for criterion in criteria if criterion.ends}
    for role, reason in (
        (Role.GOAL, EnrollmentRefusal.GOAL_ALREADY_MET),
        (Role.EXIT, EnrollmentRefusal.EXIT_ALREADY_MET),
    ):
        if role in met:
            return NotEnrolled(reason, "the entry was reported late: what ends the journey has followed it already")
    return None


def _turn_away(world: World, refusal: NotEnrolled, at: datetime) -> list[Errand]:
    world.tell(Moment(at, Happening.TURNED_AWAY, refusal.reason.value, because=refusal.because))
    return []
