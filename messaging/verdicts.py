"""What the gate can say about a send. A refusal is a value with a reason, never an exception (ADR 0003)."""

from dataclasses import dataclass
from datetime import datetime

from journeys.outcomes import RefusalReason
from messaging.frequency import Place


@dataclass(frozen=True)
class Allowed:
    """The message may leave now, to this address. `zone` is the contact's IANA zone, for readable summaries."""

    address: str
    zone: str


@dataclass(frozen=True)
class Refused:
    """The message must not leave. `because` is a sentence without personal data: it reaches Temporal."""

    reason: RefusalReason
    because: str


@dataclass(frozen=True)
class Deferred:
    """The message must wait until this instant (aware); then the gate is asked again."""

    until: datetime
    zone: str
    because: str
    waits_for: str = "the send window"
    """In words that fit behind "wait for"."""
    place: Place | None = None
    """Its place in the contact's line, where it waits for the frequency cap."""
    exact: bool = False
    """Whether to come back at that very instant, though it may be only a second away."""


Verdict = Allowed | Refused | Deferred
