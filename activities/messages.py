"""The messaging port: two transactions with the carrier's call between them, and what that means for Temporal.

How a message is prepared, handed over and settled is in `messaging`. Here is only the order of the three, and which
outcome is a receipt and which a failure that Temporal tries again.
"""

import asyncio
from datetime import timedelta
from uuid import uuid4

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.enrollments import write_progress
from activities.errors import as_failures
from journeys.outcomes import SendStatus
from journeys.values import EventCriterion, MessageChannel
from journeys.window import Window
from kit.clock import Clock, wall_clock
from kit.database import Sessions, create_engine_beside
from kit.settings import Settings
from messaging.channels.base import Channel
from messaging.channels.registry import Channels
from messaging.handover import hand_over
from messaging.ledger import Ledger, Settled, Settlement, TooEarly
from messaging.lines import ProviderLines
from messaging.models import MessageClass, MessageState
from messaging.preparation import Preparation, Prepared, Preparer, SendOrder
from messaging.rendering import Renderer
from messaging.turns import pace_of
from messaging.verdicts import Deferred
from workflows.ports import MessagingPort, SendMessage, SendReceipt

SHORTEST_RETRY = timedelta(seconds=1)
LONGEST_RETRY = timedelta(hours=1)
"""A carrier that names a time beyond these is not believed."""

_STATUS = {
    MessageState.HANDED_OVER: SendStatus.SENT,
    MessageState.REFUSED: SendStatus.REFUSED,
    MessageState.UNKNOWN: SendStatus.UNKNOWN,
}


class MessagingActivities(MessagingPort):
    """Sends messages. One instance per worker process; call `close()` at its end."""

    def __init__(self, sessions: Sessions, channels: Channels, settings: Settings, clock: Clock = wall_clock) -> None:
        self._sessions = sessions
        self._channels = channels
        self._settings = settings
        self._clock = clock
        self._renderer = Renderer()
        self._resend_after = timedelta(minutes=settings.resend_after_minutes)
        paced = any(pace_of(channel.provider, settings) for channel in channels.values())
        self._lines = ProviderLines(create_engine_beside(sessions)) if paced else None

    @activity.defn(name="send_message")
    async def send_message(self, request: SendMessage) -> SendReceipt:
        """Gate, claim, hand over, record. Raises a retryable failure only where nothing can have been sent twice."""
        with as_failures():
            order = _order(request)
            channel = self._channels[order.channel]
            preparation = await self._prepare(request, order, channel)
        if isinstance(preparation, Prepared):
            return await self._finish(preparation, channel)
        if isinstance(preparation, TooEarly):
            raise _again("It is not known whether the message left; it is sent again later.", preparation.retry_after)
        return _receipt(preparation)

    async def close(self) -> None:
        """Let go of the channels and the rendering threads."""
        self._renderer.close()
        for channel in self._channels.values():
            await channel.close()
        if self._lines is not None:
            await self._lines.aclose()

    async def _prepare(self, request: SendMessage, order: SendOrder, channel: Channel) -> Preparation:
        """The first transaction: bookkeeping, gate and claim. Committed before anything leaves."""
        async with self._sessions.begin() as session:
            await write_progress(session, request.progress)
            preparer = Preparer(
                session=session,
                settings=self._settings.in_zone(request.time_zone),
                renderer=self._renderer,
                provider=channel.provider,
                attempt=str(uuid4()),
                wall_now=self._clock(),
                lines=self._lines,
            )
            return await preparer.prepare(order)

    async def _finish(self, prepared: Prepared, channel: Channel) -> SendReceipt:
        """Hand over and settle, to the end even when cancelled: a worker that shuts down must not leave a doubt."""
        work = asyncio.ensure_future(self._hand_over_and_settle(prepared, channel))
        while not work.done():
            try:
                await asyncio.shield(work)
            except asyncio.CancelledError:
                if work.cancelled():
                    raise
        return work.result()

    async def _hand_over_and_settle(self, prepared: Prepared, channel: Channel) -> SendReceipt:
        settlement = await hand_over(channel, prepared.outgoing)
        with as_failures():
            settled = await self._settle(prepared, settlement)
        if settled.state is MessageState.FAILED:
            raise _again(f"The message could not be handed over: {settled.because}.", settlement.retry_after)
        if settled.state is MessageState.UNKNOWN and prepared.message_class is MessageClass.TRANSACTIONAL:
            raise _again(f"It is not known whether the message left: {settled.because}.", self._resend_after)
        return _receipt(settled, zone=prepared.zone)

    async def _settle(self, prepared: Prepared, settlement: Settlement) -> Settled:
        """The second transaction."""
        now = self._clock()
        async with self._sessions.begin() as session:
            ledger = Ledger(session, resend_after=self._resend_after)
            return await ledger.settle(prepared.claim, settlement, now=now)


def _order(request: SendMessage) -> SendOrder:
    return SendOrder(
        enrollment_id=request.enrollment_id,
        contact_id=request.contact_id,
        step=request.step,
        iteration=request.iteration,
        channel=MessageChannel(request.channel),
        template=request.template,
        window=Window.model_validate(request.window) if request.window else None,
        now=request.now,
        expires_at=request.expires_at,
        priority=request.priority,
        at_cap=request.cap,
        at_closed=request.closed,
        repeat=request.repeat,
        voucher=request.voucher,
        former=request.former,
        latest={name: EventCriterion.model_validate(one) for name, one in request.latest.items()},
    )


def _receipt(outcome: Settled | Deferred, *, zone: str = "UTC") -> SendReceipt:
    """What the workflow is told."""
    if isinstance(outcome, Deferred):
        return SendReceipt(
            status=SendStatus.DEFERRED,
            because=outcome.because,
            until=outcome.until,
            zone=outcome.zone,
            waits_for=outcome.waits_for,
            exact=outcome.exact,
        )
    return SendReceipt(
        status=_STATUS[outcome.state],
        message_id=outcome.message_id,
        refusal=outcome.refusal,
        because=outcome.because,
        zone=zone,
    )


def _again(message: str, after: timedelta | None) -> ApplicationError:
    delay = None if after is None else min(max(after, SHORTEST_RETRY), LONGEST_RETRY)
    return ApplicationError(message, type="Unavailable", next_retry_delay=delay)
