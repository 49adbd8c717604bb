"""Who listens: journeys an event may enter, running enrollments that want to hear of it, points models it counts in.

Read once for a batch of events of many contacts. Whether they match is in `intake.matching` and `intake.admission`.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys import JourneyRepository, definition_of, plan_of
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from crm.models.journey import JourneyVersion, VersionState
from crm.models.score import ScoreModel
from intake.admission import Door
from intake.effects import WITHDRAWN
from intake.matching import Passage, demanded_consents, passage_of, silence_of
from intake.places import hold_places
from intake.retries import Retry, retries_of, waiting_refusals
from journeys.changes import SCORE_CHANGED
from journeys.proofs.withdrawal import ConsentKey, read_consents

_VersionKey = tuple[str, int]


@dataclass(frozen=True)
class Listener:
    """A running enrollment, and the consents its journey's audience cannot do without.

    On its way to another version it has a second passage: the events are matched with both.
    """

    enrollment_id: UUID
    passages: tuple[Passage, ...]
    demands: frozenset[ConsentKey] = frozenset()
    ended: bool = False
    """It has ended, and only its goal may still be met."""
    is_test: bool = False
    """It is a test run: that its goal is met is no event."""


def listener_of(enrollment: Enrollment, door: Door, *others: Door) -> Listener:
    """The enrollment as a listener in the version of the door, and in those of others it is on its way to."""
    return Listener(
        enrollment_id=enrollment.id,
        passages=tuple(_passage(enrollment, one) for one in (door, *others)),
        demands=demanded_consents(door.definition.entry.audience),
        ended=enrollment.ended_at is not None,
        is_test=enrollment.is_test,
    )


def _passage(enrollment: Enrollment, door: Door) -> Passage:
    version = door.version
    return replace(
        passage_of(enrollment, plan_of(version)),
        won=read_consents(version.won_consents),
        needed=read_consents(version.needed_consents),
        silence=silence_of(enrollment, door.definition.entry.absence),
        exit_when=door.definition.exit_when,
    )


@dataclass(frozen=True)
class Listeners:
    """Who listens to a batch: versions by entry event, running enrollments by contact (oldest first), points models."""

    doors: Mapping[str, Sequence[Door]] = field(default_factory=dict)
    running: Mapping[UUID, Sequence[Listener]] = field(default_factory=dict)
    scored: frozenset[str] = frozenset()
    """Names of events that may give points."""
    retries: Mapping[UUID, Sequence[Retry]] = field(default_factory=dict)
    """Entries to be judged again, by contact, oldest first."""


async def listeners_of(session: AsyncSession, events: Collection[Event], now: datetime) -> Listeners:
    """Who listens to these events at `now` (aware), in a number of statements that does not grow with them."""
    names = {event.name for event in events}
    scored = await _scored(session, names)
    since = min((event.occurred_at for event in events), default=None)
    heard = names | {SCORE_CHANGED} if scored else names
    contacts = {event.contact_id for event in events}
    refusals = await waiting_refusals(session, contacts, now)
    doors = await _doors(session, names, {refusal.journey_key for refusal in refusals})
    by_name = defaultdict(list)
    for door in doors:
        by_name[door.version.entry_event or ""].append(door)
    return Listeners(
        doors=by_name,
        running=await _running(session, contacts, heard, since=since),
        scored=scored,
        retries=await retries_of(session, refusals, doors),
    )


async def _scored(session: AsyncSession, names: Collection[str]) -> frozenset[str]:
    rule = func.jsonb_array_elements(ScoreModel.definition["rules"]).table_valued("value").lateral()
    event = rule.c.value.op("->>")("event")
    query = select(event).distinct().select_from(ScoreModel).join(rule, true()).where(ScoreModel.live, event.in_(names))
    return frozenset((await session.scalars(query)).all())


async def _doors(session: AsyncSession, names: Collection[str], journeys: Collection[str]) -> list[Door]:
    """Those that events of these names open, and those of these journeys."""
    concerned = or_(JourneyVersion.entry_event.in_(names), JourneyVersion.journey_key.in_(journeys))
    query = (
        select(JourneyVersion)
        .where(JourneyVersion.state == VersionState.LIVE, concerned)
        .order_by(JourneyVersion.journey_key, JourneyVersion.version)
    )
    keys = {version.journey_key for version in await session.scalars(query)}
    if not keys:
        return []
    # Nothing is published between here and the end of the transaction: nobody enters a version that has been replaced.
    await JourneyRepository(session).hold(keys)
    versions = (await session.scalars(query, execution_options={"populate_existing": True})).all()
    trials = {version.journey_key: version for version in versions if version.share is not None}
    doors = [Door(version, definition_of(version), trials.get(version.journey_key)) for version in versions]
    limited = [door.version.journey_key for door in doors if door.definition.entry.at_most is not None]
    await hold_places(session, limited)
    return doors


async def _running(
    session: AsyncSession, contacts: Collection[UUID], names: Collection[str], *, since: datetime | None
) -> dict[UUID, list[Listener]]:
    enrollments = await _enrollments(session, contacts, names, since)
    numbers = {e.id: [e.version, *([] if e.moving_to is None else [e.moving_to])] for e in enrollments}
    doors = await _doors_of(session, {(e.journey_key, number) for e in enrollments for number in numbers[e.id]})
    running = defaultdict(list)
    for enrollment in enrollments:
        own = [doors[enrollment.journey_key, number] for number in numbers[enrollment.id]]
        running[enrollment.contact_id].append(listener_of(enrollment, *own))
    return running


async def _enrollments(
    session: AsyncSession, contacts: Collection[UUID], names: Collection[str], since: datetime | None
) -> Sequence[Enrollment]:
    """Those that run, and those that have ended in time for an event of `since` or later to meet their goal."""
    may_convert = and_(Enrollment.goal_met_at.is_(None), Enrollment.goal_until >= since)
    query = select(Enrollment).where(
        Enrollment.contact_id.in_(contacts), or_(Enrollment.ended_at.is_(None), may_convert)
    )
    if WITHDRAWN not in names:  # a withdrawal concerns journeys that listen to nothing, too
        query = query.join(
            JourneyVersion,
            (JourneyVersion.journey_key == Enrollment.journey_key) & (JourneyVersion.version == Enrollment.version),
        ).where(or_(JourneyVersion.listens.overlap(list(names)), Enrollment.moving_to.is_not(None)))
    return (await session.scalars(query.order_by(Enrollment.id))).all()


async def _doors_of(session: AsyncSession, keys: Collection[_VersionKey]) -> dict[_VersionKey, Door]:
    if not keys:
        return {}
    query = select(JourneyVersion).where(tuple_(JourneyVersion.journey_key, JourneyVersion.version).in_(list(keys)))
    return {(version.journey_key, version.version): Door.of(version) for version in await session.scalars(query)}
