"""`send`: hand a message to a channel, through the gate and the ledger."""
# ruff: noqa: ARG002 -- `compile` has one signature for all kinds

from typing import ClassVar, Literal

from journeys.steps.base import BaseNode, BaseStep, Compiler
from journeys.values import Key, MessageChannel, Strict


class SendNode(BaseNode):
    """Send `template` over `channel`."""

    passes_with_time: ClassVar[bool] = True
    kind: Literal["send"]
    template: Key
    channel: MessageChannel = MessageChannel.EMAIL


class Message(Strict):
    """What is sent: a template, over a channel. The message class belongs to the template."""

    template: Key
    channel: MessageChannel = MessageChannel.EMAIL


class SendStep(BaseStep):
    """Send a message. Results: `sent`, `refused` (with a reason) or `unknown` (the provider's answer was lost)."""

    kind: ClassVar[str] = "send"
    results: ClassVar[tuple[str, ...]] = ("sent", "refused", "unknown")
    send: Message

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> SendNode:
        return SendNode(kind="send", template=self.send.template, channel=self.send.channel, next=following)
