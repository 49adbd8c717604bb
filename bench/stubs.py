"""The activities of both contestants, done in no time. Each send is counted where the driver can see it."""

from collections.abc import Callable
from multiprocessing.sharedctypes import Synchronized
from typing import Any

from temporalio import activity

from journeys.outcomes import SendStatus
from workflows.ports import (
    JudgeCondition,
    Judgement,
    Progress,
    ResolvedInstant,
    ResolveInstant,
    SendMessage,
    SendReceipt,
)


class Stubs:
    """The three activities of the reference journey, and the one of a wait for an instant."""

    def __init__(self, sent: "Synchronized[int]") -> None:
        self._sent = sent

    @activity.defn(name="send_message")
    async def send_message(self, request: SendMessage) -> SendReceipt:
        with self._sent.get_lock():
            self._sent.value += 1
        return SendReceipt(status=SendStatus.SENT, message_id=request.enrollment_id, zone="Europe/Berlin")

    @activity.defn(name="judge_condition")
    async def judge_condition(self, request: JudgeCondition) -> Judgement:
        return Judgement(holds=True, because=f"no event since {request.entered_at:%d %B}")

    @activity.defn(name="record_progress")
    async def record_progress(self, request: Progress) -> None:
        """Where the enrollment stands is written to nowhere."""

    @activity.defn(name="resolve_instant")
    async def resolve_instant(self, request: ResolveInstant) -> ResolvedInstant:
        """Of a moment that is an instant."""
        return ResolvedInstant(at=request.moment["until"])

    def all(self) -> list[Callable[..., Any]]:
        return [self.send_message, self.judge_condition, self.record_progress, self.resolve_instant]
