"""What a channel is: one method that hands a finished message to a carrier, and the three ways that can go wrong.

The three are told apart because the ledger must know whether the carrier may have the message. Texts of these errors
reach Temporal and logs: codes and our own words only, never an address and never a carrier's free text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class Mailbox:
    """An address with the name shown before it. Both are free of line breaks; the address is plain ASCII."""

    address: str
    name: str = ""


@dataclass(frozen=True)
class Outgoing:
    """A message ready to leave: rendered, addressed, claimed. `at` is aware; `headers` come besides the usual ones.

    Without `html` it is a mail in plain text.
    """

    message_id: UUID
    sender: Mailbox
    recipient: Mailbox
    subject: str
    html: str
    text: str
    at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Accepted:
    """The carrier took the message over. `provider_message_id` is its own name for it, where it told one."""

    provider_message_id: str | None = None


class NotSent(Exception):
    """The carrier provably does not have the message: trying again cannot double it. `retry_after` if it said when."""

    def __init__(self, because: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(because)
        self.because = because
        self.retry_after = retry_after


class Rejected(Exception):
    """The carrier looked at this message and will never take it: trying again is no use."""

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because


class Uncertain(Exception):
    """The carrier may or may not have the message: its answer was lost, or says neither."""

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because


class Channel(Protocol):
    """A carrier of messages. One file each beside this one, one line in `messaging.channels.registry`."""

    provider: str
    """Name of the carrier, as kept in the ledger."""

    async def send(self, outgoing: Outgoing) -> Accepted:
        """Hand over once; never retries by itself. Raises NotSent, Rejected or Uncertain, and nothing else."""

    async def close(self) -> None:
        """Let go of connections and threads. Nothing may be sent afterwards."""
