"""Claims and settlements where attempts overlap; the plain course of things is tested with the activity."""

from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio

from journeys.outcomes import RefusalReason
from kit.database import Sessions
from messaging.ledger import Claim, Draft, Ledger, MessageKey, Settled, Settlement, TooEarly
from messaging.models import MessageClass, MessageState
from messaging.transitions import LedgerEvent
from messaging.verdicts import Refused
from tests.support.messaging import NOON, Passage, a_passage

GRACE = timedelta(minutes=15)
LATER = NOON + GRACE


@pytest_asyncio.fixture
async def passage(sessions: Sessions) -> Passage:
    return await a_passage(sessions)


def key_of(passage: Passage) -> MessageKey:
    return MessageKey(passage.enrollment.id, "mail", 1, "email")


def draft_of(passage: Passage, message_class: MessageClass) -> Draft:
    return Draft(passage.contact.id, "welcome", 1, "en", message_class, b"digest")


async def claimed(sessions: Sessions, passage: Passage, message_class: MessageClass, attempt: str = "first") -> Claim:
    async with sessions.begin() as session:
        claim = await Ledger(session, resend_after=GRACE).claim(
            key_of(passage), draft_of(passage, message_class), attempt=attempt, provider="test", now=NOON
        )
    assert claim is not None
    return claim


async def claimed_again(sessions: Sessions, passage: Passage) -> Claim:
    async with sessions.begin() as session:
        ledger = Ledger(session, resend_after=GRACE)
        record = await ledger.find(key_of(passage))
        assert record is not None
        assert ledger.standing(record, LATER) is None
        draft = draft_of(passage, MessageClass.TRANSACTIONAL)
        return ledger.claim_again(record, draft, attempt="second", provider="test", now=LATER)


async def settled(sessions: Sessions, claim: Claim, event: LedgerEvent) -> Settled:
    async with sessions.begin() as session:
        return await Ledger(session, resend_after=GRACE).settle(claim, Settlement(event, "because"), now=LATER)


async def standing(sessions: Sessions, passage: Passage, minutes: int = 0) -> Settled | TooEarly | None:
    async with sessions.begin() as session:
        ledger = Ledger(session, resend_after=GRACE)
        record = await ledger.find(key_of(passage))
        assert record is not None
        return ledger.standing(record, NOON + timedelta(minutes=minutes))


async def test_a_message_is_claimed_once(sessions: Sessions, passage: Passage) -> None:
    await claimed(sessions, passage, MessageClass.MARKETING)
    async with sessions.begin() as session:
        ledger = Ledger(session, resend_after=GRACE)
        draft = draft_of(passage, MessageClass.MARKETING)
        assert await ledger.claim(key_of(passage), draft, attempt="2", provider="test", now=NOON) is None
        refused = Refused(RefusalReason.NO_CONSENT, "no")
        assert await ledger.refuse(key_of(passage), draft, refused, now=NOON) is None


@pytest.mark.parametrize("message_class", [MessageClass.MARKETING, MessageClass.SALES])
async def test_a_claim_of_another_attempt_is_unknown_for_ever(
    sessions: Sessions, passage: Passage, message_class: MessageClass
) -> None:
    await claimed(sessions, passage, message_class)
    for minutes in (0, 10_000):
        found = await standing(sessions, passage, minutes)
        assert isinstance(found, Settled)
        assert found.state is MessageState.UNKNOWN
        assert found.because == "The attempt that was handing it over never reported back."


async def test_a_transactional_claim_of_another_attempt_may_be_taken_over_after_the_grace(
    sessions: Sessions, passage: Passage
) -> None:
    await claimed(sessions, passage, MessageClass.TRANSACTIONAL)
    assert await standing(sessions, passage, 10) == TooEarly(timedelta(minutes=5))
    assert await standing(sessions, passage, 15) is None


@pytest.mark.parametrize("event", [LedgerEvent.NOT_SENT, LedgerEvent.REJECTED, LedgerEvent.UNCERTAIN])
async def test_an_attempt_that_lost_its_claim_cannot_release_the_one_who_has_it(
    sessions: Sessions, passage: Passage, event: LedgerEvent
) -> None:
    first = await claimed(sessions, passage, MessageClass.TRANSACTIONAL)
    await claimed_again(sessions, passage)
    assert (await settled(sessions, first, event)).state is MessageState.HANDING_OVER


async def test_an_acceptance_of_an_attempt_that_lost_its_claim_counts(sessions: Sessions, passage: Passage) -> None:
    first = await claimed(sessions, passage, MessageClass.TRANSACTIONAL)
    second = await claimed_again(sessions, passage)
    assert (await settled(sessions, second, LedgerEvent.REJECTED)).refusal is RefusalReason.REJECTED_BY_PROVIDER
    found = await settled(sessions, first, LedgerEvent.ACCEPTED)
    assert (found.state, found.refusal) == (MessageState.HANDED_OVER, None)
    assert (await settled(sessions, second, LedgerEvent.ACCEPTED)).state is MessageState.HANDED_OVER


async def test_an_abandoned_message_that_proves_unsent_may_be_claimed_again(
    sessions: Sessions, passage: Passage
) -> None:
    first = await claimed(sessions, passage, MessageClass.MARKETING)
    await standing(sessions, passage)
    assert (await settled(sessions, first, LedgerEvent.NOT_SENT)).state is MessageState.FAILED
    assert await standing(sessions, passage) is None


async def test_a_refusal_of_the_second_copy_leaves_open_what_became_of_the_first(
    sessions: Sessions, passage: Passage
) -> None:
    await claimed(sessions, passage, MessageClass.TRANSACTIONAL)
    async with sessions.begin() as session:
        ledger = Ledger(session, resend_after=GRACE)
        record = await ledger.find(key_of(passage))
        assert record is not None
        found = ledger.refuse_again(record, Refused(RefusalReason.SUPPRESSED, "suppressed"), now=LATER)
    assert (found.state, found.refusal) == (MessageState.UNKNOWN, None)


async def test_only_the_digest_of_the_content_is_kept(sessions: Sessions, passage: Passage) -> None:
    claim = await claimed(sessions, passage, MessageClass.MARKETING, attempt=str(uuid4()))
    async with sessions.begin() as session:
        record = await Ledger(session, resend_after=GRACE).find(key_of(passage))
        assert record is not None
        assert (record.id, record.content_digest, record.claimed_at) == (claim.message_id, b"digest", NOON)
