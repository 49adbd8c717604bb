"""The ports of a journey as fakes: they write down what they are asked, and answer as a test has scripted.

An answer is a result, an exception to raise, or a coroutine function called with the request. Scripted answers are
used in order; after them, the default. `World` bundles the three ports with one common log.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from temporalio import activity
from temporalio.exceptions import ApplicationError

from journeys.outcomes import SendStatus
from workflows.ports import (
    ActionRequest,
    ActionResult,
    ChangeList,
    ContactPort,
    EnrollmentPort,
    JudgeCondition,
    Judgement,
    MessagingPort,
    Progress,
    RecomputeScore,
    SendMessage,
    SendReceipt,
    SetAttributes,
)
from workflows.state import Decision

Answer = TypeVar("Answer", bound=BaseModel)
Scripted = BaseModel | Exception | Callable[[Any], Awaitable[BaseModel]]

MESSAGE_ID = UUID("0190a000-0000-7000-8000-00000000aaaa")
SENT = SendReceipt(status=SendStatus.SENT, message_id=MESSAGE_ID, zone="Europe/Berlin")
YES = Judgement(holds=True, because="no event review.created since entry")
NO = Judgement(holds=False, because="1 event review.created since entry", cause_event_id="event-1")


def fails_for_good(sentence: str = "The template 'voucher' does not exist.") -> ApplicationError:
    """What an activity raises where trying again cannot help."""
    return ApplicationError(sentence, type="NotFound", non_retryable=True)


def outage() -> ApplicationError:
    """What an activity raises while a service is away."""
    return ApplicationError("The mail server does not answer.", type="Unavailable")


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
    changing: Script = field(default_factory=lambda: Script(ActionResult(result="changed", because="1 value differs")))
    recording: Script = field(default_factory=lambda: Script(ActionResult(result="recorded")))
    progress: dict[UUID, Progress] = field(default_factory=dict)
    decisions: dict[tuple[UUID, int], Decision] = field(default_factory=dict)

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
        enrollments, messages, contacts = FakeEnrollments(self), FakeMessages(self), FakeContacts(self)
        return [
            enrollments.record_progress,
            messages.send_message,
            contacts.judge_condition,
            contacts.set_attributes,
            contacts.change_list,
            contacts.recompute_score,
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

    @activity.defn(name="set_attributes")
    async def set_attributes(self, request: SetAttributes) -> ActionResult:
        return await self._change(request)

    @activity.defn(name="change_list")
    async def change_list(self, request: ChangeList) -> ActionResult:
        return await self._change(request)

    @activity.defn(name="recompute_score")
    async def recompute_score(self, request: RecomputeScore) -> ActionResult:
        return await self._change(request)

    async def _change(self, request: ActionRequest) -> ActionResult:
        self._world.requests.append(request)
        result = await self._world.changing.answer(request, ActionResult)
        self._world.write(request.progress)
        return result
