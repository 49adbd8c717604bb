"""Applying events: every effect of a contact's events in their order, in the caller's transaction.

The caller holds the contacts' locks and takes the events out of the queue in the same transaction, so an event has
all of its effects or none (ADR 0004). Claiming is in `intake.claims`, the loop around it in `intake.consumer`.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from uuid import UUID

import structlog
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from crm.enrollments import EnrollmentRepository
from crm.events import DERIVED, EventRepository, NewEvent
from crm.models.event import Event
from crm.scoring import ScoringRepository
from intake.admission import Admission, Door, Enrolled, EnrollmentResult, Entry
from intake.effects import Consequences, take_effect
from intake.leaving import ground_of, may_leave
from intake.listeners import Listener, Listeners, listener_of, listeners_of
from intake.matching import LostGround, Passage, broken_silence, lost_ground, match
from intake.outbox import put_delivery
from intake.reentry import EnrollmentRefusal, NotEnrolled
from intake.resets import set_clocks
from intake.retries import Retry, settle
from intake.segments import Memberships
from intake.tryouts import follows_from_test
from journeys.plan import Role
from journeys.values import GOAL_MET
from kit.errors import Invalid
from workflows.messages import EXIT_REQUESTED

_log = structlog.get_logger(__name__)


async def apply_events(
    session: AsyncSession,
    events: Sequence[Event],
    now: datetime,
    *,
    control_group: int = 0,
    digest_key: SecretStr | None = None,
) -> None:
    """Apply events of contacts whose locks are held; each contact's own in the order of the log.

    `control_group` is the percent of all contacts who get no marketing message; `digest_key` that of the suppression
    list, which is not asked without it.

    Raises:
        Invalid: one of them says something that cannot be recorded.
    """
    listeners = await listeners_of(session, events, now)
    memberships = await Memberships.of(session, listeners.scored, now)
    derived: list[NewEvent] = []
    for contact_id, own in groupby(sorted(events, key=attrgetter("contact_id", "sequence")), attrgetter("contact_id")):
        application = _Application(
            session, contact_id, listeners, memberships, now=now, control_group=control_group, digest_key=digest_key
        )
        derived += await application.apply(list(own))
    derived += await memberships.settle()
    if derived:
        await EventRepository(session).accept(derived)
    await set_clocks(session, events, now)


class _Application:
    """One contact's turn."""

    def __init__(
        self,
        session: AsyncSession,
        contact_id: UUID,
        listeners: Listeners,
        memberships: Memberships,
        *,
        now: datetime,
        control_group: int,
        digest_key: SecretStr | None,
    ) -> None:
        self._session = session
        self._contact_id = contact_id
        self._doors = listeners.doors
        self._scored = listeners.scored
        self._running = list(listeners.running.get(contact_id, ()))
        self._retries = [one for one in listeners.retries.get(contact_id, ()) if one.door.takes(contact_id)]
        self._memberships = memberships
        self._now = now
        self._control_group = control_group
        self._digest_key = digest_key
        self._unscored: list[Event] = []
        self._derived: list[NewEvent] = []

    async def apply(self, events: Sequence[Event]) -> list[NewEvent]:
        """Every effect of the events, in order. Returns the events that follow from them."""
        for event in events:
            consequences = await take_effect(self._session, event)
            self._derived += consequences.derived
            self._unscored += [event] if event.name in self._scored else []
            self._memberships.note(event, consequences.derived)
            await self._tell_running(event, consequences)
            await self._judge_again(event, consequences)
            # After telling those inside: an entry event does not meet criteria of the enrollment it begins.
            for door in self._doors.get(event.name, ()):
                if door.takes(self._contact_id):
                    await self._enter(event, door)
        await self._score()
        return self._derived

    async def _tell_running(self, event: Event, consequences: Consequences) -> None:
        for listener in self._running:
            # On its way to another version, the enrollment is told what the event means in each of the two.
            for passage in listener.passages:
                criteria = self._criteria(event, listener, passage)
                if any(passage.plan.criteria[name].role is Role.GOAL for name in criteria):
                    await self._meet_goal(event, listener)
                ground = await self._ground(event, listener, passage, consequences)
                if ground is not None:
                    criteria = (*criteria, EXIT_REQUESTED)
                if criteria and not listener.ended:
                    put_delivery(
                        self._session,
                        listener.enrollment_id,
                        event_id=event.event_id,
                        at=event.occurred_at,
                        criteria=criteria,
                        reason=ground.reason if ground else "",
                        version=passage.plan.version,
                        exit_at=ground.steps if ground else None,
                    )

    async def _ground(
        self, event: Event, listener: Listener, passage: Passage, consequences: Consequences
    ) -> LostGround | None:
        """Why the enrollment ends by the event. A ground that counts at some steps only hides no other."""
        lost = lost_ground(passage, listener.demands, consequences.withdrawn, consequences.lost)
        if lost is not None and lost.steps is None:
            return lost
        return broken_silence(event, passage) or await self._exit_ground(event, listener, passage) or lost

    async def _exit_ground(self, event: Event, listener: Listener, passage: Passage) -> LostGround | None:
        if listener.ended or not may_leave(event, passage, scored=event.name in self._scored):
            return None
        await self._score()  # the condition may ask for the score, and the event counts for it
        return await ground_of(self._session, listener.enrollment_id, passage, self._now)

    async def _meet_goal(self, event: Event, listener: Listener) -> None:
        first = await EnrollmentRepository(self._session).meet_goal(listener.enrollment_id, event.occurred_at)
        if not first or listener.is_test:
            return
        self._derived.append(goal_reached(event, listener.enrollment_id, listener.passages[0].plan.journey))

    def _criteria(self, event: Event, listener: Listener, passage: Passage) -> tuple[str, ...]:
        found = match(event, passage, scored=self._scored)
        if found.undecidable:
            enrollment = str(listener.enrollment_id)
            _log.warning(
                "criteria_undecidable", event_id=event.event_id, enrollment=enrollment, criteria=found.undecidable
            )
        return found.criteria

    async def _judge_again(self, event: Event, consequences: Consequences) -> None:
        """Let in who was refused because of an audience that the event, or what follows from it, makes hold."""
        told: list[Event | NewEvent] = [event, *consequences.derived]
        for retry in [one for one in self._retries if one.is_due(told, self._scored)]:
            entry = Entry(retry.event, retry.event.properties, behind=event.sequence)
            result = await self._decide(self._admission(entry, retry.door), retry.door)
            if isinstance(result, NotEnrolled) and result.reason is EnrollmentRefusal.AUDIENCE:
                continue
            self._retries.remove(retry)
            await settle(self._session, retry, self._now)

    async def _enter(self, event: Event, door: Door) -> None:
        admission = self._admission(Entry(event, event.properties), door)
        try:
            if not door.opens_to(event) or await follows_from_test(self._session, event):
                return
        except Invalid as error:
            admission.turn_away(NotEnrolled(EnrollmentRefusal.UNDECIDABLE, str(error)))
            return
        result = await self._decide(admission, door)
        if isinstance(result, NotEnrolled) and admission.retry_until(result) is not None:
            self._retries.append(Retry(door, event))

    def _admission(self, entry: Entry, door: Door) -> Admission:
        return Admission(
            self._session,
            door,
            self._contact_id,
            entry=entry,
            now=self._now,
            control_group=self._control_group,
            digest_key=self._digest_key,
        )

    async def _decide(self, admission: Admission, door: Door) -> EnrollmentResult:
        # The audience may ask for the score, and the event counts for it.
        await self._score()
        if door.asks_for_segments:
            self._derived += await self._memberships.settle(self._contact_id)
        result = await admission.decide()
        if isinstance(result, Enrolled):
            self._running.append(listener_of(result.enrollment, door))
        return result

    async def _score(self) -> None:
        """Have the events so far scored. Put off as long as nobody looks at the score: it costs one pass, not many."""
        if self._unscored:
            self._derived += await ScoringRepository(self._session).apply(self._contact_id, self._unscored)
            self._unscored = []


def goal_reached(event: Event, enrollment_id: UUID, journey: str) -> NewEvent:
    """The event that this one meets the goal of an enrollment."""
    return NewEvent(
        event_id=f"{GOAL_MET}:{enrollment_id}",
        contact_id=event.contact_id,
        name=GOAL_MET,
        occurred_at=event.occurred_at,
        properties={"journey": journey},
        source=DERIVED,
    )
