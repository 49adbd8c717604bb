"""The reference journey as one would write it by hand: the same activities, timers and signal, and nothing else.

No plan, no pause, no goal, no bookkeeping, no search attributes, no details: what the interpreter is measured against.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from journeys.outcomes import JourneyState
    from workflows.ports import ContactPort, JudgeCondition, MessagingPort, Progress, SendMessage, SendReceipt

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(days=2)
RETRY = RetryPolicy(maximum_interval=timedelta(minutes=10))


class BareRun(BaseModel, frozen=True):
    enrollment_id: UUID
    contact_id: UUID
    entered_at: datetime


@workflow.defn
class BareJourney:
    """event → wait → mail → wait for an event → if → mail → end."""

    def __init__(self) -> None:
        self._arrived = False

    @workflow.run
    async def run(self, run: BareRun) -> str:
        await workflow.sleep(FIRST_WAIT)
        await self._send(run, "voucher")
        try:
            await workflow.wait_condition(lambda: self._arrived, timeout=LONGEST_WAIT)
        except TimeoutError:
            self._arrived = False
        judgement = await workflow.execute_local_activity_method(
            ContactPort.judge_condition,
            JudgeCondition(
                **self._common(run, "reviewed"),
                condition={"none": {"event": "review.created"}},
                entered_at=run.entered_at,
            ),
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RETRY,
        )
        if judgement.holds:
            await self._send(run, "review-request")
        return "completed"

    async def _send(self, run: BareRun, template: str) -> SendReceipt:
        return await workflow.execute_activity_method(
            MessagingPort.send_message,
            SendMessage(**self._common(run, template), template=template, channel="email"),
            start_to_close_timeout=timedelta(minutes=2),
            retry_policy=RETRY,
        )

    def _common(self, run: BareRun, step: str) -> dict[str, Any]:
        """The requests have fields the interpreter fills; here they say nothing."""
        now = workflow.now()
        progress = Progress(enrollment_id=run.enrollment_id, state=JourneyState.RUNNING, step=step, since=now)
        return {
            "enrollment_id": run.enrollment_id,
            "contact_id": run.contact_id,
            "step": step,
            "iteration": 1,
            "now": now,
            "progress": progress,
        }

    @workflow.signal
    def deliver(self, _event_id: str) -> None:
        self._arrived = True


@workflow.defn
class BareTimer:
    """Waits for an instant (aware) and ends."""

    @workflow.run
    async def run(self, due: datetime) -> str:
        await workflow.sleep(max(due - workflow.now(), timedelta(0)))
        return "completed"
