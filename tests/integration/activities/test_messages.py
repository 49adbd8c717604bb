"""Sending from end to end: one activity, a real database, and a carrier that may fail at any line."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from temporalio.exceptions import ApplicationError

from activities.messages import LONGEST_RETRY, MessagingActivities
from crm.consent import ConsentRepository
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from journeys.outcomes import JourneyState, RefusalReason, SendStatus
from journeys.values import MessageChannel
from kit.database import Sessions
from kit.settings import Settings
from messaging.channels.base import Accepted, Channel, NotSent, Outgoing, Rejected, Uncertain
from messaging.channels.registry import open_channels
from messaging.models import MessageRecord
from messaging.suppression import SuppressionList
from tests.support.messaging import NOON, Passage, RecordingChannel, TestClock, a_passage, a_template
from tests.support.sendgrid import KEY, FakeSendGrid
from tests.support.smtp import MailServer
from workflows.ports import SendReceipt

GRACE = timedelta(minutes=15)
WORKING_HOURS = {"days": "mon-fri", "from": "08:00", "to": "20:00", "holidays": True}


class Crash(BaseException):
    """The process dies here: nothing after this line runs."""


def activities(sessions: Any, channel: Channel, clock: TestClock | None = None, **settings: Any) -> MessagingActivities:
    return MessagingActivities(sessions, {MessageChannel.EMAIL: channel}, Settings(**settings), clock or TestClock())


async def ledger(sessions: Sessions) -> MessageRecord:
    async with sessions() as session:
        return (await session.scalars(select(MessageRecord))).one()


async def nothing_in_the_ledger(sessions: Sessions) -> bool:
    async with sessions() as session:
        return (await session.scalars(select(MessageRecord))).first() is None


def failing(error: BaseException) -> Callable[[Outgoing], Any]:
    async def behave(_: Outgoing) -> Accepted:
        raise error

    return behave


async def test_a_contact_with_consent_gets_a_real_mail(sessions: Sessions, mails: MailServer) -> None:
    settings = Settings(smtp_port=mails.port, mail_from="Plattenladen <hallo@example.com>")
    sending = MessagingActivities(sessions, open_channels(settings), settings, TestClock())
    passage = await a_passage(sessions, first_name="Zoë", last_name="Öz")
    receipt = await sending.send_message(passage.request())
    await sending.close()

    assert (receipt.status, receipt.zone) == (SendStatus.SENT, "Europe/Berlin")
    [mail] = mails.mails
    assert mail["To"] == f"Zoë Öz <{passage.contact.email}>"
    assert mail["Subject"] == "Welcome to Plattenladen, Zoë!"
    assert mail["Message-ID"] == f"<{receipt.message_id}@example.com>"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    record = await ledger(sessions)
    assert (record.id, record.state, record.provider) == (receipt.message_id, "handed_over", "smtp")
    assert record.provider_message_id == "Q1"


async def test_the_same_goes_through_sendgrid(sessions: Sessions, sendgrid: FakeSendGrid) -> None:
    settings = Settings(mail_provider="sendgrid", sendgrid_host=sendgrid.url, sendgrid_api_key=KEY)
    sending = MessagingActivities(sessions, open_channels(settings), settings, TestClock())
    receipt = await sending.send_message((await a_passage(sessions, locale="de", first_name="Zoë")).request())
    await sending.close()

    assert receipt.status is SendStatus.SENT
    [body] = sendgrid.accepted
    assert body["subject"] == "Willkommen im Plattenladen, Zoë!"
    assert body["personalizations"][0]["custom_args"] == {"message_id": str(receipt.message_id)}
    assert (await ledger(sessions)).provider_message_id == "sg-1"


async def test_asking_twice_sends_once_and_answers_the_same(sessions: Sessions) -> None:
    channel, passage = RecordingChannel(), await a_passage(sessions)
    first = await activities(sessions, channel).send_message(passage.request())
    second = await activities(sessions, channel).send_message(passage.request())
    assert (first.status, first.message_id) == (second.status, second.message_id)
    assert len(channel.sent) == 1


async def test_another_iteration_is_another_message(sessions: Sessions) -> None:
    channel, passage = RecordingChannel(), await a_passage(sessions)
    for iteration in (1, 2):
        await activities(sessions, channel).send_message(passage.request(iteration=iteration, repeat="always"))
    assert len(channel.sent) == 2


async def test_progress_is_written_with_the_claim(sessions: Sessions) -> None:
    passage = await a_passage(sessions)
    progress = passage.request().progress.model_copy(update={"state": JourneyState.WAITING, "step": "mail"})
    await activities(sessions, RecordingChannel()).send_message(passage.request(progress=progress))
    async with sessions() as session:
        enrollment = await session.get_one(Enrollment, passage.enrollment.id)
    assert (enrollment.state, enrollment.step) == ("waiting", "mail")


# Refusals and deferrals


async def refused(sessions: Sessions, passage: Passage, **overrides: Any) -> SendReceipt:
    """The receipt of a send that must not reach the channel, and must be in the ledger with its reason."""
    channel = RecordingChannel()
    receipt = await activities(sessions, channel).send_message(passage.request(**overrides))
    record = await ledger(sessions)
    assert (record.state, record.refusal, record.id) == ("refused", receipt.refusal, receipt.message_id)
    assert record.because == receipt.because
    assert channel.sent == []
    return receipt


async def test_without_consent_a_marketing_mail_is_refused_and_recorded(sessions: Sessions) -> None:
    receipt = await refused(sessions, await a_passage(sessions, consents=()))
    assert (receipt.status, receipt.refusal) == (SendStatus.REFUSED, RefusalReason.NO_CONSENT)
    assert receipt.because == "The contact has not consented to marketing by email."


async def test_consent_to_sales_is_no_consent_to_marketing(sessions: Sessions) -> None:
    receipt = await refused(sessions, await a_passage(sessions, consents=("sales",)))
    assert receipt.refusal is RefusalReason.NO_CONSENT


async def test_a_transactional_mail_needs_no_consent(sessions: Sessions) -> None:
    passage, channel = await a_passage(sessions, consents=()), RecordingChannel()
    await a_template(sessions)
    receipt = await activities(sessions, channel).send_message(passage.request(template="receipt"))
    assert receipt.status is SendStatus.SENT


@pytest.mark.parametrize("template", ["welcome", "receipt"])
async def test_suppression_binds_every_class(sessions: Sessions, template: str) -> None:
    passage = await a_passage(sessions)
    await a_template(sessions)
    async with sessions.begin() as session:
        suppressed = SuppressionList(session, Settings().digest_key)
        assert passage.contact.email is not None
        await suppressed.add(
            MessageChannel.EMAIL, passage.contact.email.upper(), reason="asked by ada@example.com", source="provider"
        )
    receipt = await refused(sessions, passage, template=template)
    assert receipt.refusal is RefusalReason.SUPPRESSED
    assert receipt.because == "The contact's address is on the suppression list.", "why is free text, and stays here"


async def test_nothing_leaves_for_an_enrollment_that_has_ended(sessions: Sessions) -> None:
    receipt = await refused(sessions, await a_passage(sessions, state=JourneyState.EXITED))
    assert receipt.refusal is RefusalReason.ENROLLMENT_ENDED


async def test_a_send_from_long_ago_is_refused_as_overdue(sessions: Sessions) -> None:
    receipt = await refused(sessions, await a_passage(sessions), now=NOON - timedelta(hours=73))
    assert receipt.refusal is RefusalReason.OVERDUE


@pytest.mark.parametrize(("seconds", "status"), [(0, SendStatus.SENT), (-1, SendStatus.REFUSED)])
async def test_a_message_leaves_to_the_last_second_of_its_use(
    sessions: Sessions, seconds: int, status: SendStatus
) -> None:
    """Whatever has held it up: an outage of the carrier is waited out on the wall clock."""
    passage = await a_passage(sessions)
    request = passage.request(now=NOON - timedelta(hours=5), expires_at=NOON + timedelta(seconds=seconds))
    receipt = await activities(sessions, RecordingChannel()).send_message(request)
    assert receipt.status is status
    assert receipt.refusal is (None if status is SendStatus.SENT else RefusalReason.OVERDUE)


async def test_a_workflow_time_ahead_of_the_wall_clock_is_fine(sessions: Sessions) -> None:
    """So it is under time skipping, in simulations and in the demo."""
    channel, passage = RecordingChannel(), await a_passage(sessions)
    receipt = await activities(sessions, channel).send_message(passage.request(now=NOON + timedelta(days=400)))
    assert receipt.status is SendStatus.SENT


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        (None, RefusalReason.NO_ADDRESS),
        ("not an address", RefusalReason.INVALID_ADDRESS),
        ("ü@example.com", RefusalReason.INVALID_ADDRESS),
    ],
)
async def test_without_a_usable_address_the_reason_says_so(
    sessions: Sessions, email: str | None, reason: RefusalReason
) -> None:
    passage = await a_passage(sessions)
    async with sessions.begin() as session:
        await session.execute(update(Contact).values(email=email))
    receipt = await refused(sessions, passage)
    assert receipt.refusal is reason
    assert email is None or email not in receipt.because


async def test_a_closed_window_defers_to_its_opening_in_the_contacts_own_zone(sessions: Sessions) -> None:
    channel, passage = RecordingChannel(), await a_passage(sessions, time_zone="America/New_York", country="US")
    sending = activities(sessions, channel)
    deferred = await sending.send_message(passage.request(window=WORKING_HOURS))
    assert (deferred.status, deferred.zone) == (SendStatus.DEFERRED, "America/New_York")
    assert deferred.until == NOON + timedelta(hours=2)  # 08:00 in New York
    assert (channel.sent, await nothing_in_the_ledger(sessions)) == ([], True)

    later = await sending.send_message(passage.request(window=WORKING_HOURS, now=deferred.until))
    assert later.status is SendStatus.SENT


async def test_a_public_holiday_of_the_contacts_region_is_closed(sessions: Sessions) -> None:
    corpus_christi = NOON + timedelta(days=2)  # 4 June 2026, a holiday in Bavaria, none in Berlin
    for region, expected in (("BY", SendStatus.DEFERRED), ("BE", SendStatus.SENT)):
        passage = await a_passage(sessions, country="DE", region=region)
        sending = activities(sessions, RecordingChannel(), TestClock(corpus_christi))
        receipt = await sending.send_message(passage.request(window=WORKING_HOURS, now=corpus_christi))
        assert receipt.status is expected


async def test_without_a_country_the_holidays_of_the_installation_are_respected_and_that_is_said(
    sessions: Sessions,
) -> None:
    unity = datetime(2026, 10, 3, 10, tzinfo=UTC)
    passage = await a_passage(sessions, country=None)
    window = {**WORKING_HOURS, "days": "mon-sun"}
    sending = activities(sessions, RecordingChannel(), TestClock(unity))
    receipt = await sending.send_message(passage.request(window=window, now=unity))
    assert receipt.status is SendStatus.DEFERRED
    assert "The contact has no country: the holidays of DE, the default of the installation" in receipt.because


async def test_a_transactional_mail_does_not_wait_for_the_window(sessions: Sessions) -> None:
    passage = await a_passage(sessions, time_zone="America/New_York")
    await a_template(sessions)
    request = passage.request(template="receipt", window=WORKING_HOURS)
    assert (await activities(sessions, RecordingChannel()).send_message(request)).status is SendStatus.SENT


# Templates that cannot be filled in


async def test_a_missing_variable_parks_the_step_and_leaves_no_blank(sessions: Sessions) -> None:
    passage, channel = await a_passage(sessions, first_name="Zoë"), RecordingChannel()
    await a_template(sessions, html="<p>Dear {{ contact.first_name }}, your code is {{ entry.code }}</p>")
    with pytest.raises(ApplicationError) as failure:
        await activities(sessions, channel).send_message(passage.request(template="receipt"))
    assert failure.value.non_retryable
    assert "`{{ entry.code }}` has no value for this contact" in failure.value.message
    assert "Zoë" not in str(failure.value)
    assert (channel.sent, await nothing_in_the_ledger(sessions)) == ([], True)


async def test_a_template_that_fails_does_not_hide_a_refusal(sessions: Sessions) -> None:
    passage = await a_passage(sessions, consents=())
    await a_template(sessions, message_class="marketing", html="{{ entry.code }}")
    receipt = await refused(sessions, passage, template="receipt")
    assert receipt.refusal is RefusalReason.NO_CONSENT


async def test_an_unknown_template_parks_the_step(sessions: Sessions) -> None:
    passage = await a_passage(sessions)
    with pytest.raises(ApplicationError, match="There is no template 'nope'") as failure:
        await activities(sessions, RecordingChannel()).send_message(passage.request(template="nope"))
    assert failure.value.non_retryable


# Failures of the carrier


async def test_a_provably_unsent_message_is_tried_again_when_the_carrier_says(sessions: Sessions) -> None:
    channel, passage = RecordingChannel(), await a_passage(sessions)
    channel.behave = failing(NotSent("SendGrid answered 429", retry_after=timedelta(seconds=42)))
    with pytest.raises(ApplicationError) as failure:
        await activities(sessions, channel).send_message(passage.request())
    assert not failure.value.non_retryable
    assert failure.value.next_retry_delay == timedelta(seconds=42)
    record = await ledger(sessions)
    assert (record.state, record.because) == ("failed", "SendGrid answered 429")

    channel.behave = None
    receipt = await activities(sessions, channel).send_message(passage.request())
    assert (receipt.status, receipt.message_id) == (SendStatus.SENT, record.id)
    assert (await ledger(sessions)).state == "handed_over"


async def test_a_carrier_that_names_next_year_is_not_believed(sessions: Sessions) -> None:
    channel, passage = RecordingChannel(), await a_passage(sessions)
    channel.behave = failing(NotSent("SendGrid answered 429", retry_after=timedelta(days=365)))
    with pytest.raises(ApplicationError) as failure:
        await activities(sessions, channel).send_message(passage.request())
    assert failure.value.next_retry_delay == LONGEST_RETRY


async def test_consent_withdrawn_between_two_tries_is_respected(sessions: Sessions) -> None:
    channel, passage = RecordingChannel(), await a_passage(sessions)
    channel.behave = failing(NotSent("the mail server could not be reached"))
    with pytest.raises(ApplicationError):
        await activities(sessions, channel).send_message(passage.request())
    async with sessions.begin() as session:
        await ConsentRepository(session).record(
            passage.contact.id, purpose="marketing", channel="email", state="withdrawn", source="test", occurred_at=NOON
        )
    channel.behave = None
    receipt = await activities(sessions, channel).send_message(passage.request())
    assert (receipt.status, receipt.refusal) == (SendStatus.REFUSED, RefusalReason.NO_CONSENT)
    assert len(channel.sent) == 1


async def test_a_rejection_by_the_carrier_is_a_refusal_and_final(sessions: Sessions) -> None:
    channel, passage = RecordingChannel(), await a_passage(sessions)
    channel.behave = failing(Rejected("the mail server answered 550 5.1.1 to the recipient"))
    for _ in range(2):
        receipt = await activities(sessions, channel).send_message(passage.request())
        assert (receipt.status, receipt.refusal) == (SendStatus.REFUSED, RefusalReason.REJECTED_BY_PROVIDER)
        assert receipt.because == "the mail server answered 550 5.1.1 to the recipient"
    assert len(channel.sent) == 1


@pytest.mark.parametrize(
    "error", [Uncertain("the answer was lost"), RuntimeError("a channel must not raise this: ada@example.com")]
)
async def test_an_uncertain_marketing_mail_is_unknown_and_never_sent_again(
    sessions: Sessions, error: Exception
) -> None:
    channel, passage, clock = RecordingChannel(), await a_passage(sessions), TestClock()
    channel.behave = failing(error)
    for _ in range(3):
        receipt = await activities(sessions, channel, clock).send_message(passage.request())
        assert receipt.status is SendStatus.UNKNOWN
        assert "@" not in receipt.because
        clock.forward(10 * GRACE)
    assert len(channel.sent) == 1
    assert (await ledger(sessions)).state == "unknown"


async def test_an_uncertain_transactional_mail_is_sent_again_after_the_grace(sessions: Sessions) -> None:
    channel, passage, clock = RecordingChannel(), await a_passage(sessions), TestClock()
    await a_template(sessions)
    request = passage.request(template="receipt")
    channel.behave = failing(Uncertain("the answer was lost"))
    with pytest.raises(ApplicationError, match="not known whether the message left") as failure:
        await activities(sessions, channel, clock).send_message(request)
    assert failure.value.next_retry_delay == GRACE

    channel.behave = None
    clock.forward(GRACE - timedelta(minutes=1))
    with pytest.raises(ApplicationError) as failure:
        await activities(sessions, channel, clock).send_message(request)
    assert (failure.value.next_retry_delay, len(channel.sent)) == (timedelta(minutes=1), 1)

    clock.forward(timedelta(minutes=1))
    receipt = await activities(sessions, channel, clock).send_message(request)
    assert (receipt.status, len(channel.sent)) == (SendStatus.SENT, 2)


# Crashes and concurrency


class CrashingSessions:
    """A session factory that dies at its n-th transaction: between the carrier's answer and the record of it."""

    def __init__(self, sessions: Sessions, *, at: int, error: BaseException) -> None:
        self._sessions, self._left, self._error = sessions, at, error

    def begin(self) -> Any:
        self._left -= 1
        if self._left == 0:
            raise self._error
        return self._sessions.begin()


async def test_a_crash_in_the_call_never_doubles_a_marketing_mail(sessions: Sessions) -> None:
    channel, passage = RecordingChannel(), await a_passage(sessions)
    channel.behave = failing(Crash())
    with pytest.raises(Crash):
        await activities(sessions, channel).send_message(passage.request())
    assert (await ledger(sessions)).state == "handing_over", "the claim was committed before the call"

    channel.behave = None
    receipt = await activities(sessions, channel).send_message(passage.request())
    assert (receipt.status, len(channel.sent)) == (SendStatus.UNKNOWN, 1)
    assert (await ledger(sessions)).state == "unknown"


async def test_a_crash_after_acceptance_never_doubles_a_marketing_mail(sessions: Sessions) -> None:
    channel, passage = RecordingChannel(), await a_passage(sessions)
    with pytest.raises(Crash):
        await activities(CrashingSessions(sessions, at=2, error=Crash()), channel).send_message(passage.request())
    receipt = await activities(sessions, channel).send_message(passage.request())
    assert (receipt.status, len(channel.sent)) == (SendStatus.UNKNOWN, 1)


async def test_a_database_lost_after_acceptance_is_an_outage_and_doubles_nothing(sessions: Sessions) -> None:
    channel, passage = RecordingChannel(), await a_passage(sessions)
    gone = OperationalError("SELECT", {}, Exception("the connection is lost"))
    with pytest.raises(ApplicationError) as failure:
        await activities(CrashingSessions(sessions, at=2, error=gone), channel).send_message(passage.request())
    assert not failure.value.non_retryable
    receipt = await activities(sessions, channel).send_message(passage.request())
    assert (receipt.status, len(channel.sent)) == (SendStatus.UNKNOWN, 1)


async def test_a_crash_never_loses_a_transactional_mail(sessions: Sessions) -> None:
    channel, passage, clock = RecordingChannel(), await a_passage(sessions), TestClock()
    await a_template(sessions)
    request = passage.request(template="receipt")
    channel.behave = failing(Crash())
    with pytest.raises(Crash):
        await activities(sessions, channel, clock).send_message(request)
    channel.behave = None
    with pytest.raises(ApplicationError) as failure:
        await activities(sessions, channel, clock).send_message(request)
    assert failure.value.next_retry_delay == GRACE
    clock.forward(GRACE)
    assert (await activities(sessions, channel, clock).send_message(request)).status is SendStatus.SENT


async def test_attempts_at_the_same_time_send_one_mail(sessions: Sessions) -> None:
    channel, passage = RecordingChannel(), await a_passage(sessions)
    attempts = [activities(sessions, channel) for _ in range(8)]
    receipts = await asyncio.gather(*(attempt.send_message(passage.request()) for attempt in attempts))
    assert len(channel.sent) == 1
    assert SendStatus.SENT in {receipt.status for receipt in receipts}
    assert {receipt.status for receipt in receipts} <= {SendStatus.SENT, SendStatus.UNKNOWN}
    assert len({receipt.message_id for receipt in receipts}) == 1
    assert (await ledger(sessions)).state == "handed_over"


async def test_a_slow_first_attempt_that_succeeds_after_all_is_believed(sessions: Sessions) -> None:
    """Temporal gave it up and started another, which found the claim and could only say `unknown`."""
    channel, passage = RecordingChannel(), await a_passage(sessions)
    in_the_call, answer = asyncio.Event(), asyncio.Event()

    async def slowly(_: Outgoing) -> Accepted:
        in_the_call.set()
        await answer.wait()
        return Accepted("late")

    channel.behave = slowly
    first = asyncio.create_task(activities(sessions, channel).send_message(passage.request()))
    await in_the_call.wait()
    second = await activities(sessions, channel).send_message(passage.request())
    assert second.status is SendStatus.UNKNOWN
    answer.set()
    assert (await first).status is SendStatus.SENT
    record = await ledger(sessions)
    assert (record.state, record.provider_message_id, record.because) == ("handed_over", "late", "")


async def test_a_cancelled_attempt_still_finishes_what_it_claimed(sessions: Sessions) -> None:
    """A worker that shuts down in the middle of the call must not leave a doubt behind."""
    channel, passage = RecordingChannel(), await a_passage(sessions)
    in_the_call, answer = asyncio.Event(), asyncio.Event()

    async def slowly(_: Outgoing) -> Accepted:
        in_the_call.set()
        await answer.wait()
        return Accepted("after all")

    channel.behave = slowly
    attempt = asyncio.create_task(activities(sessions, channel).send_message(passage.request()))
    await in_the_call.wait()
    attempt.cancel()
    await asyncio.wait({attempt}, timeout=0)
    answer.set()
    assert (await attempt).status is SendStatus.SENT
    assert (await ledger(sessions)).state == "handed_over"


async def test_closing_closes_the_channels(sessions: Sessions) -> None:
    channel = RecordingChannel()
    await activities(sessions, channel).close()
    assert channel.closed
