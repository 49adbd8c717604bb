"""The second half of a send: hand the claimed message to its channel and put what happened into words of the ledger."""

import structlog

from messaging.channels.base import Channel, NotSent, Outgoing, Rejected, Uncertain
from messaging.ledger import Settlement
from messaging.transitions import LedgerEvent

_log = structlog.stdlib.get_logger(__name__)


async def hand_over(channel: Channel, outgoing: Outgoing) -> Settlement:
    """Call the channel once. Never raises for what a channel did: an error it should not raise counts as uncertain."""
    try:
        accepted = await channel.send(outgoing)
    except NotSent as error:
        return Settlement(LedgerEvent.NOT_SENT, error.because, retry_after=error.retry_after)
    except Rejected as error:
        return Settlement(LedgerEvent.REJECTED, error.because)
    except Uncertain as error:
        return Settlement(LedgerEvent.UNCERTAIN, error.because)
    except Exception as error:  # noqa: BLE001  whatever it was, the carrier may have the message
        # The type alone: the text of an unknown error may hold the message or its address.
        _log.error("channel broke its promise", provider=channel.provider, error=type(error).__name__)
        return Settlement(LedgerEvent.UNCERTAIN, f"the channel failed in an unforeseen way ({type(error).__name__})")
    return Settlement(LedgerEvent.ACCEPTED, provider_message_id=accepted.provider_message_id)
