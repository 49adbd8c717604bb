"""Everything a simulated journey is surrounded by, in memory: the contact's record, enrollments, mails, and the log.

What events do is in `cli.simulation.arrivals`, what the workflow asks for in `cli.simulation.ports`.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from cli.simulation.mailroom import Mailroom
from cli.simulation.record import Record
from cli.simulation.shifting import brought_back
from crm.ends import end_of
from crm.events import DERIVED, NewEvent
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from crm.models.journey import JourneyVersion, VersionState
from crm.models.task import Task
from crm.tasks import ENROLLMENT_ENDED, Closing, TaskState, closed_event
from intake.admission import Door
from journeys.model import Journey
from journeys.outcomes import ENDED, JourneyState
from journeys.plan import Plan
from journeys.proofs.withdrawal import AtSteps, consents_needed, consents_won
from journeys.timing import zone_or_default
from kit.settings import Settings
from messaging.frequency import Place
from messaging.models import MessageClass
from workflows.ports import Progress, SendReceipt
from workflows.state import Decision


class Happening(StrEnum):
    """What a line of the log tells of."""

    EVENT = "event"
    UNUSABLE = "unusable"
    ENTERED = "entered"
    TURNED_AWAY = "turned_away"
    STEP = "step"
    MAIL = "mail"
    DEFERRED = "deferred"
    TASK = "task"
    ATTENTION = "attention"
    ENDED = "ended"


@dataclass(frozen=True)
class Moment:
    """One line of the log. `at` is aware; `subject` is what it is about, `result` what came of it, `because` why."""

    at: datetime
    what: Happening
    subject: str
    result: str = ""
    because: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Mail:
    """A mail that would have been sent, as its reader would have seen it."""

    at: datetime
    template: str
    step: str
    locale: str
    subject: str
    text: str
    html: str
    message_class: MessageClass


@dataclass(frozen=True)
class NoMail:
    """A mail that was refused, with the reason."""

    at: datetime
    template: str
    step: str
    reason: str
    because: str


@dataclass(frozen=True)
class Pretended:
    """A voucher as it would have been issued. Instants are aware."""

    pool: str
    code: str
    expires_at: datetime | None


@dataclass
class Ride:
    """One enrollment: its row as the table would hold it, and what its workflow has reported."""

    enrollment: Enrollment
    plan: Plan
    ahead: timedelta = timedelta(0)
    """How far the workflow's clock is ahead of pretended time."""
    progress: Progress | None = None
    decisions: dict[int, Decision] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        """The enrollment's id."""
        return self.enrollment.id

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.enrollment.ended_at is None

    @property
    def state(self) -> JourneyState:
        """What it does at this moment."""
        return self.progress.state if self.progress else JourneyState.STARTING

    @property
    def due(self) -> datetime | None:
        """When it goes on by itself; None where nothing but an event or a person moves it."""
        waiting = self.running and self.progress and self.state is JourneyState.WAITING
        return self.progress.due_at if waiting and self.progress else None


@dataclass
class World:
    """The surroundings of one journey and one contact."""

    journey: Journey
    plan: Plan
    record: Record
    mailroom: Mailroom
    settings: Settings
    rides: dict[UUID, Ride] = field(default_factory=dict)
    log: list[Moment] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    refused: list[NoMail] = field(default_factory=list)
    arriving: deque[Event] = field(default_factory=deque)
    """Events that happened and have had no effect yet."""
    line: dict[str, Place] = field(default_factory=dict)
    """Who waits for the frequency cap, by message."""
    tasks: list[Task] = field(default_factory=list)
    receipts: dict[tuple[UUID, str, int, str], SendReceipt] = field(default_factory=dict)
    vouchers: dict[tuple[UUID, str, int], Pretended] = field(default_factory=dict)
    """Vouchers issued, by enrollment, step and iteration."""
    retries: list[tuple[Event, datetime]] = field(default_factory=list)
    """Entries refused by an audience that is judged again, each until when."""
    sold_out: frozenset[str] = frozenset()
    """Pools that have no voucher left."""
    broken: Exception | None = None
    """An error nobody foresaw, in what surrounds the workflow: the simulation is worth nothing then."""

    @cached_property
    def won(self) -> AtSteps:
        """Step → consents that every way to it has established."""
        return consents_won(self.journey)

    @cached_property
    def needed(self) -> AtSteps:
        """Step → consents that all messages ahead of it need."""
        return consents_needed(self.plan, self.mailroom.classes)

    @property
    def door(self) -> Door:
        """The journey's way in, as if this version of it were published."""
        version = JourneyVersion(journey_key=self.journey.key, version=self.plan.version, state=VersionState.LIVE)
        return Door(version, self.journey)

    @property
    def zone(self) -> ZoneInfo:
        """Where the contact lives."""
        return zone_or_default(self.record.contact.time_zone, self.settings.default_time_zone)[0]

    def happen(
        self, name: str, properties: Mapping[str, Any], *, at: datetime, event_id: str = "", source: str = "api"
    ) -> Event | None:
        """An event of the contact, to be applied. None where one of this id has happened already."""
        if event_id and self.record.knows(event_id):
            return None
        event = self.record.keep(name, properties, at=at, event_id=event_id, source=source)
        self.arriving.append(event)
        return event

    def follow(self, derived: NewEvent) -> None:
        """An event that follows from what has happened, as a line of the log too. An id counts once."""
        at, name = derived.occurred_at, derived.name
        if self.happen(name, derived.properties, at=at, event_id=derived.event_id, source=derived.source) is not None:
            self.tell(Moment(at, Happening.EVENT, name))

    def close_task(self, task: Task, closing: Closing) -> None:
        """Have a task done or cancelled; the event of it happens."""
        task.state, task.outcome = closing.state.value, closing.outcome
        task.done_by, task.closed_at = closing.by, closing.at
        name, properties = closed_event(task, closing)
        self.happen(name, properties, at=closing.at, event_id=f"{name}:{task.id}", source=DERIVED)

    def tell(self, moment: Moment) -> None:
        """Append a line to the log."""
        self.log.append(moment)

    def write(self, progress: Progress) -> None:
        """Take down where an enrollment stands. Each decision counts once, and nothing moves an ended one back."""
        ride = self.rides[progress.enrollment_id]
        if not ride.running:
            return
        known = ride.progress
        progress = ride.progress = _brought_back(progress, ride.ahead)
        for decision in progress.decisions:
            if decision.ordinal not in ride.decisions:
                ride.decisions[decision.ordinal] = decision
                self.tell(Moment(decision.at, Happening.STEP, decision.step, _came_of(decision), decision.because))
        if progress.attention and (known is None or known.attention != progress.attention):
            self.tell(Moment(progress.since, Happening.ATTENTION, progress.step or "", because=progress.attention))
        if progress.state in ENDED:
            ride.enrollment.ended_at = progress.since
            ride.enrollment.state, ride.enrollment.outcome = progress.state, progress.outcome
            self.tell(Moment(progress.since, Happening.ENDED, progress.state, because=progress.outcome))
            last = progress.decisions[-1].step if progress.decisions else None
            if (ended := end_of(ride.enrollment, progress.state, at=progress.since, step=last)) is not None:
                self.follow(ended)
            left = Closing(TaskState.CANCELLED, ENROLLMENT_ENDED, f"enrollment:{ride.id}", progress.since)
            for task in self.tasks:
                if task.enrollment_id == ride.id and task.cancel_at_end and task.state == TaskState.OPEN:
                    self.close_task(task, left)


def _brought_back(progress: Progress, by: timedelta) -> Progress:
    """The progress with its sentences in pretended time; the interceptor has seen to its instants."""
    decisions = [one.model_copy(update={"because": brought_back(one.because, by)}) for one in progress.decisions]
    attention = brought_back(progress.attention, by) if progress.attention else None
    return progress.model_copy(update={"decisions": decisions, "attention": attention})


def _came_of(decision: Decision) -> str:
    return decision.result or decision.verdict.value
