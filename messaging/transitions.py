"""The life of a message as data: which state follows when the ledger learns something. Storing it is in the ledger."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from kit.errors import Conflict
from messaging.models import MessageState


class LedgerEvent(StrEnum):
    """What the ledger can learn of a message."""

    CLAIMED = "claimed"
    """An attempt is about to call the carrier."""
    GATE_REFUSED = "gate_refused"
    """The gate will not let it leave."""
    ACCEPTED = "accepted"
    """The carrier has it."""
    NOT_SENT = "not_sent"
    """The carrier provably does not have it."""
    REJECTED = "rejected"
    """The carrier will never take it."""
    UNCERTAIN = "uncertain"
    """The carrier may have it: its answer was lost, or the claim was found abandoned."""


_S, _E = MessageState, LedgerEvent

TRANSITIONS: Mapping[tuple[MessageState | None, LedgerEvent], MessageState] = MappingProxyType(
    {
        (None, _E.CLAIMED): _S.HANDING_OVER,
        (None, _E.GATE_REFUSED): _S.REFUSED,
        (_S.HANDING_OVER, _E.ACCEPTED): _S.HANDED_OVER,
        (_S.HANDING_OVER, _E.NOT_SENT): _S.FAILED,
        (_S.HANDING_OVER, _E.REJECTED): _S.REFUSED,
        (_S.HANDING_OVER, _E.UNCERTAIN): _S.UNKNOWN,
        # Taking over an abandoned claim: only for the class that may be doubled, see `messaging.ledger`.
        (_S.HANDING_OVER, _E.CLAIMED): _S.HANDING_OVER,
        # A refusal of the second copy says nothing about the first.
        (_S.HANDING_OVER, _E.GATE_REFUSED): _S.UNKNOWN,
        (_S.FAILED, _E.CLAIMED): _S.HANDING_OVER,
        (_S.FAILED, _E.GATE_REFUSED): _S.REFUSED,
        (_S.UNKNOWN, _E.CLAIMED): _S.HANDING_OVER,
        (_S.UNKNOWN, _E.GATE_REFUSED): _S.UNKNOWN,
        (_S.UNKNOWN, _E.NOT_SENT): _S.FAILED,
        (_S.UNKNOWN, _E.REJECTED): _S.REFUSED,
        (_S.UNKNOWN, _E.UNCERTAIN): _S.UNKNOWN,
        # Once out, always out: what became of a second copy does not undo the first …
        (_S.HANDED_OVER, _E.ACCEPTED): _S.HANDED_OVER,
        (_S.HANDED_OVER, _E.NOT_SENT): _S.HANDED_OVER,
        (_S.HANDED_OVER, _E.REJECTED): _S.HANDED_OVER,
        (_S.HANDED_OVER, _E.UNCERTAIN): _S.HANDED_OVER,
        # … and a late acceptance of an earlier attempt outweighs whatever was thought since.
        (_S.UNKNOWN, _E.ACCEPTED): _S.HANDED_OVER,
        (_S.FAILED, _E.ACCEPTED): _S.HANDED_OVER,
        (_S.REFUSED, _E.ACCEPTED): _S.HANDED_OVER,
    }
)


def after(state: MessageState | None, event: LedgerEvent) -> MessageState:
    """The state that follows. `None` is a message the ledger does not know yet.

    Raises:
        Conflict: the event cannot happen to a message in that state.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise Conflict(f"A message that is {state or 'new'} cannot be {event}.") from None
