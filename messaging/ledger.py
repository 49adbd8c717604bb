"""The ledger: one row per message, claimed and committed before the carrier is called, settled afterwards.

Who finds a claim of another attempt knows that its outcome is uncertain. Marketing and sales messages then stay
unsent for ever (at most once); a transactional one is sent again after a grace period (at least once).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from journeys.outcomes import RefusalReason
from messaging.models import MessageClass, MessageRecord, MessageState
from messaging.transitions import LedgerEvent, after
from messaging.verdicts import Refused


@dataclass(frozen=True)
class MessageKey:
    """What makes a message the same message, over retries, resets and continued runs."""

    enrollment_id: UUID
    step: str
    iteration: int
    channel: str


@dataclass(frozen=True)
class Draft:
    """What the ledger keeps of a message besides its key. The text itself is not kept, only its digest."""

    contact_id: UUID
    template_key: str
    template_version: int
    locale: str
    message_class: MessageClass
    content_digest: bytes | None = None


@dataclass(frozen=True)
class Claim:
    """The right, held by one attempt, to hand this message over now."""

    message_id: UUID
    attempt: str


@dataclass(frozen=True)
class Settled:
    """Nothing is to be done (any more): this is what became of the message."""

    state: MessageState
    message_id: UUID
    refusal: RefusalReason | None = None
    because: str = ""


@dataclass(frozen=True)
class TooEarly:
    """A transactional message whose outcome is uncertain: ask again after this time, then it is sent again."""

    retry_after: timedelta


@dataclass(frozen=True)
class Settlement:
    """What an attempt learned from the carrier."""

    event: LedgerEvent
    because: str = ""
    provider_message_id: str | None = None
    retry_after: timedelta | None = None


def content_digest(*parts: str) -> bytes:
    """SHA-256 over the parts of a rendered message, for the proof of what was sent."""
    return hashlib.sha256("\0".join(parts).encode()).digest()


class Ledger:
    """The messages table, through one session. Instants are wall-clock time, aware."""

    def __init__(self, session: AsyncSession, *, resend_after: timedelta) -> None:
        self._session = session
        self._resend_after = resend_after

    async def find(self, key: MessageKey) -> MessageRecord | None:
        """The message, locked until the transaction ends; None where nobody has claimed or refused it yet."""
        where = (getattr(MessageRecord, name) == value for name, value in vars(key).items())
        statement = select(MessageRecord).where(*where).with_for_update()
        return (await self._session.scalars(statement.execution_options(populate_existing=True))).one_or_none()

    def standing(self, record: MessageRecord, now: datetime) -> Settled | TooEarly | None:
        """What a new attempt must know of an existing message; None: it may go on to the gate and claim it."""
        state = MessageState(record.state)
        if state in {MessageState.HANDED_OVER, MessageState.REFUSED}:
            return _settled(record)
        if state is MessageState.FAILED:
            return None
        if record.message_class != MessageClass.TRANSACTIONAL:
            return self._abandoned(record, now)
        assert record.claimed_at is not None
        remaining = record.claimed_at + self._resend_after - now
        return TooEarly(remaining) if remaining > timedelta() else None

    def _abandoned(self, record: MessageRecord, now: datetime) -> Settled:
        if record.state != MessageState.UNKNOWN:
            because = "The attempt that was handing it over never reported back."
            _move(record, LedgerEvent.UNCERTAIN, now, because)
        return _settled(record)

    async def claim(
        self,
        key: MessageKey,
        draft: Draft,
        *,
        attempt: str,
        provider: str,
        now: datetime,
        counted_at: datetime | None = None,
        is_test: bool = False,
    ) -> Claim | None:
        """Claim the message for this attempt. Returns None where another attempt was faster: look at it with `find`.

        The frequency cap counts it as sent at `counted_at` (aware), which is now unless something else is said; a
        test's is not counted at all.
        """
        values = vars(draft) | {"attempt": attempt, "provider": provider, "claimed_at": now}
        values["counted_at"] = None if is_test else counted_at or now
        message_id = await self._insert(key, LedgerEvent.CLAIMED, values)
        return Claim(message_id, attempt) if message_id else None

    def claim_again(
        self,
        record: MessageRecord,
        draft: Draft,
        *,
        attempt: str,
        provider: str,
        now: datetime,
        counted_at: datetime | None = None,
        is_test: bool = False,
    ) -> Claim:
        """Claim a message that `find` locked and `standing` let pass."""
        record.state = after(MessageState(record.state), LedgerEvent.CLAIMED)
        for name, value in vars(draft).items():
            setattr(record, name, value)
        record.attempt, record.provider, record.claimed_at = attempt, provider, now
        record.counted_at = None if is_test else counted_at or now
        record.because, record.settled_at = "", None
        return Claim(record.id, attempt)

    async def refuse(self, key: MessageKey, draft: Draft, refused: Refused, *, now: datetime) -> UUID | None:
        """Record a refusal of the gate. Returns None where another attempt was faster."""
        values = vars(draft) | {"refusal": refused.reason, "because": refused.because, "settled_at": now}
        return await self._insert(key, LedgerEvent.GATE_REFUSED, values)

    def refuse_again(self, record: MessageRecord, refused: Refused, *, now: datetime) -> Settled:
        """Record a refusal of a message that was tried before. One that may be out already stays `unknown`."""
        _move(record, LedgerEvent.GATE_REFUSED, now, refused.because)
        if record.state == MessageState.REFUSED:
            record.refusal = refused.reason
        return _settled(record)

    async def _insert(self, key: MessageKey, event: LedgerEvent, values: dict[str, object]) -> UUID | None:
        statement = insert(MessageRecord).values(**vars(key), **values, state=after(None, event))
        return await self._session.scalar(statement.on_conflict_do_nothing().returning(MessageRecord.id))

    async def settle(self, claim: Claim, settlement: Settlement, *, now: datetime) -> Settled:
        """Write down what the attempt learned, and return what is now known of the message.

        An acceptance counts from whichever attempt it comes; anything else only from the one that holds the claim.
        """
        record = await self._session.get_one(MessageRecord, claim.message_id, with_for_update=True)
        if record.attempt == claim.attempt or settlement.event is LedgerEvent.ACCEPTED:
            _move(record, settlement.event, now, settlement.because)
            record.provider_message_id = settlement.provider_message_id or record.provider_message_id
            rejected = record.state == MessageState.REFUSED
            record.refusal = RefusalReason.REJECTED_BY_PROVIDER if rejected else None
        return _settled(record)


def _move(record: MessageRecord, event: LedgerEvent, now: datetime, because: str) -> None:
    following = after(MessageState(record.state), event)
    if following != record.state:  # otherwise what was known first stands
        record.state, record.because, record.settled_at = following, because, now


def _settled(record: MessageRecord) -> Settled:
    refusal = RefusalReason(record.refusal) if record.refusal else None
    return Settled(MessageState(record.state), record.id, refusal, record.because)
