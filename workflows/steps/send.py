"""`send`: have a message sent; where its gate defers it, wait visibly and ask again."""

from datetime import datetime

from temporalio import workflow

from journeys.outcomes import RefusalReason, SendStatus, StepVerdict
from journeys.steps.send import SOLD_OUT, SendNode
from workflows.limits import SHORTEST_DEFERRAL, SHORTEST_TURN
from workflows.passage import Interrupted, Passage
from workflows.ports import MessagingPort, SendMessage, SendReceipt
from workflows.state import HeldBack
from workflows.transitions import Departure

THE_WINDOW = "the send window"
HELD_UNTIL = "held-until"
"""Before this patch what was behind a message that had been held back, and interrupted, was late since before that."""


async def send(passage: Passage, node: SendNode) -> Departure:
    """Result `sent`, `refused`, `sold_out` or `unknown`; the journey goes on after each."""
    state, receipt, planned_at = passage.state, None, None
    held_until = state.held_until
    while receipt is None or receipt.status is SendStatus.DEFERRED:
        if state.due_at:
            words = state.held_back.waits_for if state.held_back else THE_WINDOW
            await passage.wait_until(state.due_at, words=f"wait for {words}")
            planned_at = held_until = state.due_at
            state.due_at, state.held_back = None, None
        request = SendMessage(
            **passage.common(),
            template=node.template,
            channel=node.channel,
            window=passage.run.plan.get("window"),
            expires_at=passage.expires_at(),
            priority=passage.plan.priority,
            cap=node.cap or passage.plan.cap,
            closed=node.closed or passage.plan.closed,
            repeat=node.repeat,
            voucher=node.voucher,
            latest=passage.run.plan["nodes"][passage.step].get("latest", {}),
        )
        receipt = await _asked(passage, request, held_until)
        state.zone = receipt.zone
        state.due_at = _deferred_until(receipt, passage.now())
        if state.due_at:
            state.held_back = HeldBack(waits_for=receipt.waits_for or THE_WINDOW, because=receipt.because)
    if planned_at is None and state.held_until and workflow.patched(HELD_UNTIL):
        planned_at = min(state.held_until, passage.now())
    refused = receipt.status is SendStatus.REFUSED
    because = ": ".join(part for part in (receipt.refusal, receipt.because) if part)
    verdict = StepVerdict.REFUSED if refused else StepVerdict.PASSED
    sold_out = receipt.refusal is RefusalReason.SOLD_OUT
    result = SOLD_OUT if sold_out else receipt.status.value
    return Departure(node.next, result=result, because=because, verdict=verdict, planned_at=planned_at)


async def _asked(passage: Passage, request: SendMessage, held_until: datetime | None) -> SendReceipt:
    """Have it sent. Where that is interrupted it is remembered until when it was held back: it is late since then."""
    try:
        return await passage.act(MessagingPort.send_message, request)
    except Interrupted:
        if held_until and workflow.patched(HELD_UNTIL):
            passage.state.held_until = held_until
        raise


def _deferred_until(receipt: SendReceipt, now: datetime) -> datetime | None:
    """When to ask again. Never at once: a gate that keeps naming the past must not keep the worker busy."""
    if receipt.status is not SendStatus.DEFERRED:
        return None
    earliest = now + (SHORTEST_TURN if receipt.exact else SHORTEST_DEFERRAL)
    return max(receipt.until, earliest) if receipt.until else earliest
