"""One contact at the door of one journey: every reason to turn it away, and what is written when there is none.

The caller holds the contact's lock. The rules of re-entry are pure and in `intake.reentry`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from pydantic import SecretStr
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.enrollments import EnrollmentRepository
from crm.events import DERIVED, EventRepository
from crm.facts import MOST_EVENTS, load_facts
from crm.journeys import definition_of, plan_of
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from crm.models.journey import JourneyVersion, VersionState
from crm.steering import SteeringRepository
from intake.leaving import judged
from intake.matching import Passage, match
from intake.models import EntryRefusal
from intake.outbox import put_delivery, put_start
from intake.places import is_full
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
from journeys.conditions.comparison import matches
from journeys.experiments import held_out, in_control_group
from journeys.model import Journey, PerProperty
from journeys.outcomes import JourneyState
from journeys.plan import Plan, Role
from journeys.shares import takes
from journeys.values import MessageChannel
from kit.errors import Invalid
from messaging.suppression import SuppressionList
from workflows.names import journey_workflow_id

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Enrolled:
    """The contact has entered; its workflow starts as soon as Temporal is told."""

    enrollment: Enrollment


@dataclass(frozen=True)
class AlreadyRunning:
    """The contact is inside the journey (under this entry key) already."""

    enrollment: Enrollment


EnrollmentResult = Enrolled | AlreadyRunning | NotEnrolled


@dataclass(frozen=True)
class Door:
    """A version of a journey with its definition read: read once for all who come to it."""

    version: JourneyVersion
    definition: Journey
    trial: JourneyVersion | None = None
    """The version on trial where there is one: it takes its share of the contacts, the other one the rest."""

    @classmethod
    def of(cls, version: JourneyVersion) -> "Door":
        """The door to this version."""
        return cls(version, definition_of(version))

    @property
    def asks_for_segments(self) -> bool:
        """Whether the audience, or the exit condition, asks for membership of segments."""
        asked = (self.definition.entry.audience, self.definition.exit_when)
        return any(condition is not None and condition.needs().segments for condition in asked)

    def takes(self, contact_id: UUID) -> bool:
        """Whether the contact is for this door, and not for that beside it."""
        if self.trial is None:
            return True
        drawn = takes(self.trial.journey_key, self.trial.version, contact_id, percent=self.trial.share or 0)
        return drawn == (self.trial.version == self.version.version)

    def opens_to(self, event: Event) -> bool:
        """Whether the event is one that contacts enter by; its name is known to fit.

        Raises:
            Invalid: a property cannot be compared as asked.
        """
        entry = self.definition.entry
        if entry.criterion is not None:
            return matches(entry.criterion.where, event.properties, {})
        # Derived by those who keep clocks and segments. What a producer sends under such a name opens nothing.
        return (
            event.source == DERIVED
            and entry.timed is not None
            and entry.timed.lets_in(self.version.journey_key, event.properties)
        )


@dataclass(frozen=True)
class Entry:
    """What a contact enters with: the cause event, or none over the API, and the properties `$entry` speaks of."""

    cause: Event | None
    properties: Mapping[str, Any]
    key: str | None = None
    bypass_again: bool = False
    """Whether somebody has asked that what `again` says be passed over."""
    behind: int | None = None
    """Place in the log of the event by which it is judged again; None where it is judged the first time."""

    @property
    def event_id(self) -> str | None:
        """Id of the cause event."""
        return self.cause.event_id if self.cause else None


class Admission:
    """Judges one entry and writes the outcome: an enrollment with the order to start it, or a stored refusal."""

    def __init__(
        self,
        session: AsyncSession,
        door: Door,
        contact_id: UUID,
        *,
        entry: Entry,
        now: datetime,
        control_group: int = 0,
        digest_key: SecretStr | None = None,
    ) -> None:
        self._session = session
        self._version = door.version
        self._rules = door.definition.entry
        self._goal = door.definition.goal
        self._holdout = door.definition.holdout
        self._exit_when = door.definition.exit_when
        self._contact_id = contact_id
        self._entry = entry
        self._now = now
        self._control_group = control_group
        self._digest_key = digest_key
        self._passed_over: str | None = None
        # A producer's clock may run ahead; nobody enters in the future.
        self._entered_at = min(entry.cause.occurred_at, now) if entry.cause else now

    async def decide(self) -> EnrollmentResult:
        """The outcome, written to the session."""
        again = self._rules.again
        key = entry_key_of(again, self._entry.properties, self._entry.key)
        if isinstance(key, NotEnrolled):
            return self.turn_away(key)
        previous = await self.previous(key if isinstance(again, PerProperty) else None)
        if previous is not None and previous.ended_at is None:
            self.turn_away(NotEnrolled(EnrollmentRefusal.ALREADY_RUNNING, "the contact is inside already"))
            return AlreadyRunning(previous)
        refusal = reentry_refusal(again, previous, self._now) if previous is not None else None
        if refusal is not None and self._entry.bypass_again:
            self._passed_over, refusal = refusal.because, None
        refusal = refusal or await self.closed() or await self.goal_met_before() or await self.outside_audience()
        refusal = refusal or await self.exit_met_before(key) or await self.suppressed()
        refusal = refusal or await self.full()
        return self.turn_away(refusal) if refusal else await self._enter(key)

    def retry_until(self, refusal: NotEnrolled) -> datetime | None:
        """Until when a refused entry is judged again; None where the refusal is final."""
        retry, cause = self._rules.retry, self._entry.cause
        if refusal.reason is not EnrollmentRefusal.AUDIENCE or retry is None or cause is None:
            return None
        # What another journey's step has asked for is answered at once, and not by the entry's event.
        return self._now + retry if cause.name == self._rules.trigger else None

    def turn_away(self, refusal: NotEnrolled) -> NotEnrolled:
        """Store and log a refusal. One that stands already, by an audience that still does not hold, stays as it is."""
        if self._entry.behind is not None and refusal.reason is EnrollmentRefusal.AUDIENCE:
            return refusal
        self._session.add(
            EntryRefusal(
                journey_key=self._version.journey_key,
                version=self._version.version,
                contact_id=self._contact_id,
                reason=refusal.reason,
                because=refusal.because,
                cause_event_id=self._entry.event_id,
                at=self._now,
                retry_until=self.retry_until(refusal),
            )
        )
        journey = self._version.journey_key
        _log.info("entry_refused", journey=journey, contact=str(self._contact_id), reason=refusal.reason.value)
        return refusal

    async def closed(self) -> NotEnrolled | None:
        """Why the version takes nobody; None where it does."""
        if self._version.state != VersionState.LIVE:
            because = f"version {self._version.version} is {self._version.state} and takes no new contacts"
            return NotEnrolled(EnrollmentRefusal.JOURNEY_NOT_LIVE, because)
        since = await SteeringRepository(self._session).paused_since(self._version.journey_key)
        if since is None:
            return None
        because = f"the journey is paused since {since.astimezone(UTC):%Y-%m-%d %H:%M} UTC and takes no new contacts"
        return NotEnrolled(EnrollmentRefusal.JOURNEY_PAUSED, because)

    async def previous(self, key: str | None) -> Enrollment | None:
        """The enrollment that runs, or else the newest; of any key where None. A test run of a draft is none."""
        query = select(Enrollment).where(
            Enrollment.contact_id == self._contact_id,
            Enrollment.journey_key == self._version.journey_key,
            Enrollment.tested_draft.is_(None),
        )
        if key is not None:
            query = query.where(Enrollment.entry_key == key)
        query = query.order_by(Enrollment.ended_at.desc().nulls_first(), Enrollment.id.desc()).limit(1)
        found: Enrollment | None = await self._session.scalar(query)
        return found

    async def outside_audience(self) -> NotEnrolled | None:
        """Why the audience does not hold; None where it does."""
        audience = self._rules.audience
        if audience is None:
            return None
        facts = await load_facts(
            self._session, self._contact_id, audience.needs(), self._now, entry=self._entry.properties
        )
        try:
            verdict = audience.judge(facts)
        except Invalid as error:
            return NotEnrolled(EnrollmentRefusal.UNDECIDABLE, str(error))
        return None if verdict.holds else NotEnrolled(EnrollmentRefusal.AUDIENCE, verdict.because)

    async def suppressed(self) -> NotEnrolled | None:
        """Why a journey that would only write to a suppressed address is not begun; None where it may be.

        Not asked without the key of the list. Whoever suppresses an address tells those inside, under the same lock.
        """
        refusal = nothing_to_reach(plan_of(self._version), MessageChannel.EMAIL)
        if self._digest_key is None or refusal is None:
            return None
        address = await self._session.scalar(select(Contact.email).where(Contact.id == self._contact_id))
        if not address:
            return None
        reason = await SuppressionList(self._session, self._digest_key).reason(MessageChannel.EMAIL, address)
        return refusal if reason is not None else None

    async def full(self) -> NotEnrolled | None:
        """Why nobody enters any more; None where there is a place left, which is then kept for whoever asks."""
        at_most = self._rules.at_most
        if at_most is None or not await is_full(self._session, self._version.journey_key, at_most):
            return None
        return no_place_left(at_most)

    async def goal_met_before(self) -> NotEnrolled | None:
        """Whoever has met the goal already, as far back as the journey looks, does not enter."""
        goal = self._goal
        if goal is None or goal.met_before is None:
            return None
        events = await EventRepository(self._session).history(
            self._contact_id, names=[goal.event], until=self._entered_at, limit=MOST_EVENTS
        )
        return met_before(goal, events, self._entry_moment())

    async def exit_met_before(self, key: str) -> NotEnrolled | None:
        """Whoever the exit condition holds for already does not enter: it would leave at once."""
        if self._exit_when is None:
            return None
        enrollment = self._enrollment(key, await self._passage())
        verdict = await judged(self._session, self._exit_when, enrollment, self._now)
        if verdict is None or not verdict.holds:
            return None
        return NotEnrolled(EnrollmentRefusal.EXIT_ALREADY_MET, f"the exit condition holds already: {verdict.because}")

    def _entry_moment(self) -> EntryMoment:
        return EntryMoment(self._entered_at, self._entry.properties, self._entry.event_id)

    async def _passage(self) -> Passage:
        sequence = self._entry.cause.sequence if self._entry.cause else None
        return Passage(
            plan=plan_of(self._version),
            entry=self._entry.properties,
            entered_at=self._entered_at,
            entry_sequence=await place_of_its_own(self._session) if sequence is None else sequence,
        )

    async def _enter(self, key: str) -> Enrolled | NotEnrolled:
        passage = await self._passage()
        overtaken = await self._overtaken(passage)
        if refusal := _over_already(passage.plan, overtaken):
            return self.turn_away(refusal)
        enrollment = self._enrollment(key, passage)
        self._session.add(enrollment)
        await self._session.flush()
        put_start(self._session, enrollment.id)
        for event in (event for event, criteria in overtaken if _meets_goal(passage.plan, criteria)):
            await EnrollmentRepository(self._session).meet_goal(enrollment.id, event.occurred_at)
        for event, criteria in overtaken:
            put_delivery(
                self._session,
                enrollment.id,
                event_id=event.event_id,
                at=event.occurred_at,
                criteria=criteria,
                version=passage.plan.version,
            )
        return Enrolled(enrollment)

    def _enrollment(self, key: str, passage: Passage) -> Enrollment:
        return Enrollment(
            journey_key=self._version.journey_key,
            version=self._version.version,
            contact_id=self._contact_id,
            entry_key=key,
            workflow_id=journey_workflow_id(self._version.journey_key, self._contact_id, key),
            state=JourneyState.STARTING,
            since=self._now,
            entry_event_id=self._entry.event_id,
            entry_properties=dict(self._entry.properties),
            entered_at=passage.entered_at,
            entry_sequence=passage.entry_sequence,
            holdout=self._is_held_out(),
            control_group=in_control_group(self._contact_id, percent=self._control_group),
            passed_over=self._passed_over,
            goal_until=passage.entered_at + self._goal.within if self._goal and self._goal.within else None,
        )

    def _is_held_out(self) -> bool:
        percent = self._holdout or 0
        return held_out(self._contact_id, self._version.journey_key, percent=percent)

    async def _overtaken(self, passage: Passage) -> list[tuple[Event, tuple[str, ...]]]:
        """Events that overtook a late entry: applied before it, occurred after it, and meeting criteria of the plan."""
        cause, names = self._entry.cause, passage.plan.listens
        if cause is None or not names:
            return []
        events = await EventRepository(self._session).history(self._contact_id, names=names, since=passage.entered_at)
        until = cause.sequence if self._entry.behind is None else self._entry.behind
        matches = [(event, match(event, passage).criteria) for event in events if event.sequence <= until]
        return [(event, criteria) for event, criteria in matches if criteria]


async def place_of_its_own(session: AsyncSession) -> int:
    """Place in the log of an entry without an event: behind all events so far, and no event's."""
    return int(await session.scalar(text("SELECT nextval('events_sequence_seq')")) or 0)


def _meets_goal(plan: Plan, criteria: Collection[str]) -> bool:
    return any(plan.criteria[name].role is Role.GOAL for name in criteria)


def _over_already(plan: Plan, overtaken: Sequence[tuple[Event, tuple[str, ...]]]) -> NotEnrolled | None:
    """A journey whose goal or exit came before its late entry is not begun."""
    found = [plan.criteria[name] for _, criteria in overtaken for name in criteria]
    met = [criterion for criterion in found if criterion.ends]
    for role, reason in (
        (Role.GOAL, EnrollmentRefusal.GOAL_ALREADY_MET),
        (Role.EXIT, EnrollmentRefusal.EXIT_ALREADY_MET),
    ):
        if event := next((criterion.event for criterion in met if criterion.role is role), None):
            return NotEnrolled(reason, f"the entry was reported late: {event} has followed it already")
    return None
