"""`send`: hand a message to a channel, through the gate and the ledger."""
# ruff: noqa: ARG002 -- `compile` has one signature for all kinds

from typing import ClassVar, Literal

from pydantic import Field

from journeys.steps.base import BaseNode, BaseStep, Compiler
from journeys.values import Key, MessageChannel, Strict
from journeys.vouchers import MessageVoucher

SOLD_OUT = "sold_out"
"""The result where the pool had no voucher left for the message."""


class SendNode(BaseNode):
    """Send `template` over `channel`."""

    kind: Literal["send"]
    template: Key
    channel: MessageChannel = MessageChannel.EMAIL
    voucher: MessageVoucher | None = None

    @property
    def issues(self) -> bool:
        """Whether a new voucher goes out with the message."""
        return self.voucher is not None and self.voucher.pool is not None


class Message(Strict):
    """What is sent: a template, over a channel. The message class belongs to the template."""

    template: Key
    channel: MessageChannel = MessageChannel.EMAIL
    voucher: MessageVoucher | None = Field(default=None, description="The voucher it is about.")


class SendStep(BaseStep):
    """Send a message. Results: `sent`, `refused` (with a reason) or `unknown` (the provider's answer was lost).

    One that issues a voucher may also end with `sold_out`; nothing is sent then.
    """

    kind: ClassVar[str] = "send"
    results: ClassVar[tuple[str, ...]] = ("sent", "refused", "unknown")
    send: Message

    def words(self) -> tuple[str, ...]:
        issues = self.send.voucher is not None and self.send.voucher.pool is not None
        return (*self.results, SOLD_OUT) if issues else self.results

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> SendNode:
        message = self.send
        return SendNode(
            kind="send", template=message.template, channel=message.channel, voucher=message.voucher, next=following
        )
