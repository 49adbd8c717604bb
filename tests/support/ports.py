"""The ports of a journey as fakes: they write down what they are asked, and answer as a test has scripted.

An answer is a result, an exception to raise, or a coroutine function called with the request. Scripted answers are
used in order; after them, the default. `World` bundles the three ports with one common log.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, TypeAdapter
from temporalio import activity
from temporalio.exceptions import ApplicationError

from crm.calendars import Asked, Dates, look_up
from crm.models.contact import Contact
from crm.models.event import Event
from journeys.conditions.first import FirstHolding
from journeys.moments import AnyMoment
from journeys.outcomes import JourneyState, SendStatus
from journeys.sittings import Reaction
from journeys.window import Window
from kit.settings import Settings
from workflows.ports import (
    ActionRequest,
    ActionResult,
    CalendarPort,
    ChangeList,
    ChangeStage,
    ChooseArm,
    ChosenArm,
    ContactPort,
    CreateTask,
    EnrollmentPort,
    GivePoints,
    JourneyPort,
    JudgeCondition,
    JudgeConditions,
    Judgement,
    MessagingPort,
    Progress,
    RecomputeScore,
    ResolvedInstant,
    ResolveInstant,
    SendMessage,
    SendReceipt,
    SetAttributes,
    StartJourney,
    TaskPort,
)
from workflows.state import Decision

Answer = TypeVar("Answer", bound=BaseModel)
Scripted = BaseModel | Exception | Callable[[Any], Awaitable[BaseModel]]

MESSAGE_ID = UUID("0190a000-0000-7000-8000-00000000aaaa")
SENT = SendReceipt(status=SendStatus.SENT, message_id=MESSAGE_ID, zone="Europe/Berlin")
YES = Judgement(holds=True, because="no event review.created since entry")
NO = Judgement(holds=False, because="1 event review.created since entry", cause_event_id="event-1")

STARTED = ActionResult(result="started", because="enrollment 1, version 1")
NONE_HOLDS = FirstHolding(index=None, because="not on the list 'vip'")


def fails_for_good(sentence: str = "The template 'voucher' does not exist.") -> ApplicationError:
    """What an activity raises where trying again cannot help."""
    return ApplicationError(sentence, type="NotFound", non_retryable=True)


def outage() -> ApplicationError:
    """What an activity raises while a service is away."""
    return ApplicationError("The mail server does not answer.", type="Unavailable")


async def deferred_two_days(request: SendMessage) -> SendReceipt:
    """The answer of a gate whose window opens in two days."""
    return SendReceipt(status=SendStatus.DEFERRED, until=request.now + timedelta(days=2), zone="Europe/Berlin")


class SlowProvider:
    """The answer of a provider that has a message in its hands until it is told to accept it."""

    def __init__(self) -> None:
        self._handed_over, self._accepted = asyncio.Event(), asyncio.Event()

    async def __call__(self, _request: SendMessage) -> SendReceipt:
        self._handed_over.set()
        await self._accepted.wait()
        return SENT

    async def has_it(self) -> None:
        """Returns once the message was handed over."""
        await asyncio.wait_for(self._handed_over.wait(), 10)

    def accept(self) -> None:
        """Let it be sent."""
        self._accepted.set()


@dataclass
class Script:
    """Answers in order, then the last word for ever."""

    default: Scripted
    answers: deque[Scripted] = field(default_factory=deque)

    def then(self, *answers: Scripted) -> None:
        self.answers.extend(answers)

    def always(self, answer: Scripted) -> None:
        self.answers.clear()
        self.default = answer

    async def answer(self, request: Any, kind: type[Answer]) -> Answer:
        scripted = self.answers.popleft() if self.answers else self.default
        if isinstance(scripted, Exception):
            raise scripted
        result = scripted if isinstance(scripted, BaseModel) else await scripted(request)
        assert isinstance(result, kind)
        return result


@dataclass
class World:
    """What journeys under test are surrounded by."""

    requests: list[ActionRequest] = field(default_factory=list)
    reports: list[Progress] = field(default_factory=list)
    sending: Script = field(default_factory=lambda: Script(SENT))
    judging: Script = field(default_factory=lambda: Script(YES))
    choosing: Script = field(default_factory=lambda: Script(NONE_HOLDS))
    changing: Script = field(default_factory=lambda: Script(ActionResult(result="changed", because="1 value differs")))
    tasking: Script = field(default_factory=lambda: Script(ActionResult(result="created", because="task 1 for sales")))
    winning: dict[str, str] = field(default_factory=dict)
    """Experiments with their winners."""
    starting: Script = field(default_factory=lambda: Script(STARTED))
    recording: Script = field(default_factory=lambda: Script(ActionResult(result="recorded")))
    resolving: Script = field(init=False)
    """By default the product's own rules, on what is written in the fields below."""
    contact: dict[str, Any] = field(default_factory=lambda: {"time_zone": "Europe/Berlin", "country": "DE"})
    entry: dict[str, Any] = field(default_factory=dict)
    moves: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Properties of events that move dates, by event id."""
    reactions: Callable[[datetime], Sequence[Reaction]] = lambda _now: ()
    """How the contact has reacted to mails, as of an instant."""
    progress: dict[UUID, Progress] = field(default_factory=dict)
    decisions: dict[tuple[UUID, int], Decision] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.resolving = Script(self._look_up)

    async def _look_up(self, request: ResolveInstant) -> ResolvedInstant:
        moment = TypeAdapter(AnyMoment).validate_python(request.moment)
        window = Window.model_validate(request.window) if request.window is not None else None
        typed = {name: self.contact.get(name) for name in ("time_zone", "country", "region")}
        attributes = {name: value for name, value in self.contact.items() if name not in typed}
        moved = Event(properties=self.moves[request.moved_by]) if request.moved_by else None
        found = look_up(
            moment,
            Asked(request.reached_at, request.now, window),
            Dates(Contact(**typed, attributes=attributes), self.entry, moved, reactions=self.reactions(request.now)),
            settings=Settings(default_time_zone="Europe/Berlin", default_country="DE"),
        )
        return ResolvedInstant(at=found.at, zone=found.zone, because=found.because)

    def write(self, progress: Progress) -> None:
        """Keep a progress as the projection does: the newest position, each decision once by its ordinal."""
        self.progress[progress.enrollment_id] = progress
        for decision in progress.decisions:
            known = self.decisions.setdefault((progress.enrollment_id, decision.ordinal), decision)
            assert known == decision, "a decision never changes"

    def decided(self, enrollment_id: UUID) -> list[Decision]:
        """The decisions of an enrollment, in order."""
        return [decision for (owner, _), decision in sorted(self.decisions.items()) if owner == enrollment_id]

    def asked(self, kind: type[ActionRequest], enrollment_id: UUID | None = None) -> list[Any]:
        """Requests of a kind, in order."""
        return [
            request
            for request in self.requests
            if isinstance(request, kind) and enrollment_id in {None, request.enrollment_id}
        ]

    def activities(self) -> list[Callable[..., Any]]:
        """Everything a worker registers."""
        journeys = FakeJourneys(self)
        enrollments, messages, contacts = FakeEnrollments(self), FakeMessages(self), FakeContacts(self)
        return [
            FakeCalendar(self).resolve_instant,
            enrollments.record_progress,
            messages.send_message,
            contacts.judge_condition,
            contacts.judge_conditions,
            contacts.set_attributes,
            contacts.change_list,
            contacts.change_stage,
            contacts.give_points,
            contacts.recompute_score,
            FakeTasks(self).create_task,
            journeys.start_journey,
            journeys.choose_arm,
        ]


class FakeEnrollments(EnrollmentPort):
    """Writes progress into the world."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn(name="record_progress")
    async def record_progress(self, request: Progress) -> None:
        await self._world.recording.answer(request, ActionResult)
        self._world.reports.append(request)
        self._world.write(request)


class FakeMessages(MessagingPort):
    """Sends nothing, and says what it was told to say."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn(name="send_message")
    async def send_message(self, request: SendMessage) -> SendReceipt:
        self._world.requests.append(request)
        receipt = await self._world.sending.answer(request, SendReceipt)
        self._world.write(request.progress)
        return receipt


class FakeContacts(ContactPort):
    """Knows no contact, and says what it was told to say."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn(name="judge_condition")
    async def judge_condition(self, request: JudgeCondition) -> Judgement:
        self._world.requests.append(request)
        judgement = await self._world.judging.answer(request, Judgement)
        self._world.write(request.progress)
        return judgement

    @activity.defn(name="judge_conditions")
    async def judge_conditions(self, request: JudgeConditions) -> FirstHolding:
        self._world.requests.append(request)
        found = await self._world.choosing.answer(request, FirstHolding)
        self._world.write(request.progress)
        return found

    @activity.defn(name="set_attributes")
    async def set_attributes(self, request: SetAttributes) -> ActionResult:
        return await self._change(request)

    @activity.defn(name="change_list")
    async def change_list(self, request: ChangeList) -> ActionResult:
        return await self._change(request)

    @activity.defn(name="change_stage")
    async def change_stage(self, request: ChangeStage) -> ActionResult:
        return await self._change(request)

    @activity.defn(name="give_points")
    async def give_points(self, request: GivePoints) -> ActionResult:
        return await self._change(request)

    @activity.defn(name="recompute_score")
    async def recompute_score(self, request: RecomputeScore) -> ActionResult:
        return await self._change(request)

    async def _change(self, request: ActionRequest) -> ActionResult:
        self._world.requests.append(request)
        result = await self._world.changing.answer(request, ActionResult)
        self._world.write(request.progress)
        return result


class FakeTasks(TaskPort):
    """Makes no task, and says it has."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn(name="create_task")
    async def create_task(self, request: CreateTask) -> ActionResult:
        self._world.requests.append(request)
        result = await self._world.tasking.answer(request, ActionResult)
        self._world.write(request.progress)
        return result


class FakeCalendar(CalendarPort):
    """Looks up in the world what the product would look up in its record."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn(name="resolve_instant")
    async def resolve_instant(self, request: ResolveInstant) -> ResolvedInstant:
        self._world.requests.append(request)
        found = await self._world.resolving.answer(request, ResolvedInstant)
        ahead = found.at is not None and found.at > request.now
        waiting = {"state": JourneyState.WAITING, "due_at": found.at} if ahead else {}
        self._world.write(request.progress.model_copy(update=waiting))
        return found


class FakeJourneys(JourneyPort):
    """Starts nothing, and says what it was told to say."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn(name="start_journey")
    async def start_journey(self, request: StartJourney) -> ActionResult:
        self._world.requests.append(request)
        result = await self._world.starting.answer(request, ActionResult)
        self._world.write(request.progress)
        return result

    @activity.defn(name="choose_arm")
    async def choose_arm(self, request: ChooseArm) -> ChosenArm:
        self._world.requests.append(request)
        self._world.write(request.progress)
        winner = self._world.winning.get(request.experiment)
        return ChosenArm(arm=winner, because=f"'{winner}' has won") if winner else ChosenArm(arm=request.drawn)
