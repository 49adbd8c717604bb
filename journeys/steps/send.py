"""`send`: hand a message to a channel, through the gate and the ledger."""
# ruff: noqa: ARG002 -- `compile` has one signature for all kinds

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from journeys.frequency import AtCap, Repeat
from journeys.places import Path
from journeys.steps.base import BaseNode, BaseStep, Compiler
from journeys.values import EventCriterion, Key, MessageChannel, Strict, Where
from journeys.vouchers import MessageVoucher
from journeys.window import WhenClosed

VariableName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
"""Name of a variable in templates."""
SOLD_OUT = "sold_out"
"""The result where the pool had no voucher left for the message."""


Latest = Mapping[VariableName, EventCriterion]


class SendNode(BaseNode):
    """Send `template` over `channel`.

    `cap` and `closed` are the journey's own where they are None, `repeat` is that of the settings.
    """

    passes_with_time: ClassVar[bool] = True
    kind: Literal["send"]
    template: Key
    channel: MessageChannel = MessageChannel.EMAIL
    cap: AtCap | None = None
    closed: WhenClosed | None = Field(default=None, exclude_if=lambda closed: closed is None)
    repeat: Repeat | None = None
    voucher: MessageVoucher | None = None
    latest: Latest = Field(default_factory=dict)

    @property
    def issues(self) -> bool:
        """Whether a new voucher goes out with the message."""
        return self.voucher is not None and self.voucher.pool is not None


class Message(Strict):
    """What is sent: a template, over a channel. The message class belongs to the template."""

    template: Key
    channel: MessageChannel = MessageChannel.EMAIL
    cap: AtCap | None = Field(
        default=None, description="At the frequency cap: `defer` waits, `skip` leaves it out. Otherwise the journey's."
    )
    closed: WhenClosed | None = Field(
        default=None,
        exclude_if=lambda closed: closed is None,
        description="While it may not leave: `defer` waits, `skip` leaves it out. Otherwise the journey's.",
    )
    repeat: Repeat | None = Field(
        default=None,
        description="When the same template may go to the same contact again: a duration, `never` or `always`.",
    )
    voucher: MessageVoucher | None = Field(default=None, description="The voucher it is about.")
    latest: Latest = Field(
        default_factory=dict,
        max_length=10,
        description="Events whose newest occurrence the template prints, by the name it knows each under.",
    )


class SendStep(BaseStep):
    """Send a message. Results: `sent`, `refused` (with a reason) or `unknown` (the provider's answer was lost).

    One that issues a voucher may also end with `sold_out`; nothing is sent then.
    """

    kind: ClassVar[str] = "send"
    results: ClassVar[tuple[str, ...]] = ("sent", "refused", "unknown")
    send: Message

    def wheres(self) -> Mapping[Path, Where]:
        return {("send", "latest", name, "where"): one.where for name, one in self.send.latest.items()}

    def durations(self) -> Mapping[Path, timedelta]:
        return {("send", "repeat"): self.send.repeat} if isinstance(self.send.repeat, timedelta) else {}

    def words(self) -> tuple[str, ...]:
        issues = self.send.voucher is not None and self.send.voucher.pool is not None
        return (*self.results, SOLD_OUT) if issues else self.results

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> SendNode:
        message = self.send
        return SendNode(
            kind="send",
            template=message.template,
            channel=message.channel,
            cap=message.cap,
            closed=message.closed,
            repeat=message.repeat,
            voucher=message.voucher,
            latest=message.latest,
            next=following,
        )
