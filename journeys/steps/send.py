"""`send`: hand a message to a channel, through the gate and the ledger."""
# ruff: noqa: ARG002 -- `compile` has one signature for all kinds

from typing import ClassVar, Literal

from pydantic import Field

from journeys.frequency import AtCap, Repeat
from journeys.steps.base import BaseNode, BaseStep, Compiler
from journeys.values import Key, MessageChannel, Strict


class SendNode(BaseNode):
    """Send `template` over `channel`. `cap` is the journey's own where it is None, `repeat` that of the settings."""

    passes_with_time: ClassVar[bool] = True
    kind: Literal["send"]
    template: Key
    channel: MessageChannel = MessageChannel.EMAIL
    cap: AtCap | None = None
    repeat: Repeat | None = None


class Message(Strict):
    """What is sent: a template, over a channel. The message class belongs to the template."""

    template: Key
    channel: MessageChannel = MessageChannel.EMAIL
    cap: AtCap | None = Field(
        default=None, description="At the frequency cap: `defer` waits, `skip` leaves it out. Otherwise the journey's."
    )
    repeat: Repeat | None = Field(
        default=None,
        description="When the same template may go to the same contact again: a duration, `never` or `always`.",
    )


class SendStep(BaseStep):
    """Send a message. Results: `sent`, `refused` (with a reason) or `unknown` (the provider's answer was lost)."""

    kind: ClassVar[str] = "send"
    results: ClassVar[tuple[str, ...]] = ("sent", "refused", "unknown")
    send: Message

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> SendNode:
        message = self.send
        return SendNode(
            kind="send",
            template=message.template,
            channel=message.channel,
            cap=message.cap,
            repeat=message.repeat,
            next=following,
        )
