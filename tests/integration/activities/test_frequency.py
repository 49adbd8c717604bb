"""The frequency cap, repetition and quiet hours from end to end: counted on the ledger, over all journeys."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from activities.messages import MessagingActivities
from crm.contacts import ContactRepository
from crm.models.enrollment import Enrollment
from journeys.frequency import AtCap, Priority
from journeys.outcomes import RefusalReason, SendStatus
from journeys.values import MessageChannel
from kit.database import Sessions
from kit.settings import Settings
from messaging.channels.base import Accepted, NotSent, Outgoing, Rejected
from messaging.ledger import MessageKey
from messaging.leftovers import remove_leftovers
from messaging.models import HeldMessage, PromisedTurn, WaitingMessage
from tests.support.builders import a_live_journey, an_enrollment
from tests.support.messaging import NOON, Passage, RecordingChannel, TestClock, a_passage, a_template
from workflows.ports import SendReceipt

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


class Shop:
    """Journeys that write to one contact, under settings that allow one message a week unless others are given."""

    def __init__(self, sessions: Sessions, passage: Passage, channel: RecordingChannel, **settings: Any) -> None:
        self.sessions = sessions
        self.passage = passage
        self.channel = channel
        self.clock = TestClock()
        self._published: set[str] = set()
        given = Settings(**{"weekly_cap": 1, **settings})
        self._sending = MessagingActivities(sessions, {MessageChannel.EMAIL: channel}, given, self.clock)

    async def another(self, journey: str) -> Passage:
        """The contact in another journey, at the step `mail`."""
        async with self.sessions.begin() as session:
            version = await a_live_journey(session, {"key": journey})
            enrollment = await an_enrollment(session, self.passage.contact.id, version)
        return Passage(self.passage.contact, enrollment)

    async def send(
        self, passage: Passage | None = None, *, at: datetime = NOON, wall: datetime | None = None, **overrides: Any
    ) -> SendReceipt:
        """Ask at this instant, on every clock. Each step sends a template of its own, unless one is named."""
        self.clock.now = wall or at
        step = overrides.get("step", "mail")
        overrides.setdefault("template", await self.template(f"{(passage or self.passage).enrollment.id}-{step}"))
        return await self._sending.send_message((passage or self.passage).request(now=at, **overrides))

    async def template(self, key: str, message_class: str = "marketing") -> str:
        """The key of a template that is published now, if it was not."""
        if key not in self._published:
            await a_template(self.sessions, key, message_class=message_class)
            self._published.add(key)
        return key

    async def waiting(self) -> list[WaitingMessage]:
        """The contact's line as it is stored."""
        async with self.sessions() as session:
            return list(await session.scalars(select(WaitingMessage).order_by(WaitingMessage.since)))


async def a_shop(sessions: Sessions, channel: RecordingChannel | None = None, **settings: Any) -> Shop:
    passage = await a_passage(sessions, consents=("marketing", "sales"))
    return Shop(sessions, passage, channel or RecordingChannel(), **settings)


# The cap


async def test_one_message_too_many_waits_for_the_very_second_at_which_the_first_leaves_the_week(
    sessions: Sessions,
) -> None:
    shop = await a_shop(sessions)
    other = await shop.another("other")
    assert (await shop.send()).status is SendStatus.SENT
    receipt = await shop.send(other, at=NOON + DAY)
    assert (receipt.status, receipt.until) == (SendStatus.DEFERRED, NOON + WEEK)
    assert receipt.because == "The contact has had 1 marketing message within 7 days: no more are allowed."
    assert (await shop.send(other, at=NOON + WEEK - SECOND)).until == NOON + WEEK
    assert (await shop.send(other, at=NOON + WEEK)).status is SendStatus.SENT
    assert await shop.waiting() == []


async def test_eleven_at_night_and_midnight_are_two_messages_in_24_hours(sessions: Sessions) -> None:
    shop = await a_shop(sessions, weekly_cap=0, daily_cap=1)
    eleven = NOON.replace(hour=21)  # in Berlin
    assert (await shop.send(at=eleven)).status is SendStatus.SENT
    assert (await shop.send(await shop.another("other"), at=eleven + timedelta(hours=1))).until == eleven + DAY


async def test_by_the_calendar_midnight_where_the_contact_lives_begins_a_new_day(sessions: Sessions) -> None:
    shop = await a_shop(sessions, weekly_cap=0, daily_cap=1, daily_cap_by_calendar=True)
    other, eleven = await shop.another("other"), NOON.replace(hour=21)
    assert (await shop.send(at=eleven)).status is SendStatus.SENT
    assert (await shop.send(other, at=eleven + timedelta(minutes=5))).until == eleven + timedelta(hours=1)
    assert (await shop.send(other, at=eleven + timedelta(hours=1))).status is SendStatus.SENT


async def test_its_turn_is_then_awaited_within_the_window(sessions: Sessions) -> None:
    shop = await a_shop(sessions)
    await shop.send()
    window = {"from": "18:00", "to": "20:00"}
    evening = NOON.replace(hour=16)  # 18:00 in Berlin
    receipt = await shop.send(await shop.another("other"), at=evening + DAY, window=window)
    assert receipt.until == evening + WEEK


async def test_zero_is_no_cap(sessions: Sessions) -> None:
    shop = await a_shop(sessions, weekly_cap=0, daily_cap=0)
    for number in range(5):
        assert (await shop.send(step=f"mail-{number}")).status is SendStatus.SENT


@pytest.mark.parametrize("message_class", ["transactional", "sales"])
async def test_only_marketing_is_capped_and_counted(sessions: Sessions, message_class: str) -> None:
    shop = await a_shop(sessions)
    first, second = [await shop.template(key, message_class) for key in ("first", "second")]
    assert (await shop.send(template=first)).status is SendStatus.SENT
    assert (await shop.send(step="marketing")).status is SendStatus.SENT
    assert (await shop.send(step="last", template=second)).status is SendStatus.SENT


async def test_what_was_refused_or_never_left_does_not_count(sessions: Sessions) -> None:
    answers: list[Exception | None] = [Rejected("550"), NotSent("450"), None]

    async def behave(_: Outgoing) -> Accepted:
        if answer := answers.pop(0):
            raise answer
        return Accepted("1")

    shop = await a_shop(sessions, RecordingChannel(behave=behave))
    assert (await shop.send(step="rejected")).status is SendStatus.REFUSED
    with pytest.raises(Exception, match="could not be handed over"):
        await shop.send(step="failed")
    assert (await shop.send(step="sent")).status is SendStatus.SENT
    assert (await shop.send(step="failed", at=NOON + DAY)).until == NOON + WEEK


async def test_an_outage_counts_from_when_the_message_really_left(sessions: Sessions) -> None:
    shop = await a_shop(sessions)
    assert (await shop.send(at=NOON - DAY, wall=NOON)).status is SendStatus.SENT
    assert (await shop.send(await shop.another("other"), at=NOON + DAY)).until == NOON + WEEK


async def test_a_message_that_skips_is_refused_at_once_with_the_reason(sessions: Sessions) -> None:
    shop = await a_shop(sessions)
    await shop.send()
    receipt = await shop.send(step="second", cap=AtCap.SKIP)
    assert (receipt.status, receipt.refusal) == (SendStatus.REFUSED, RefusalReason.FREQUENCY_CAP)
    assert receipt.because.endswith("no more are allowed. It does not wait.")
    assert await shop.waiting() == []


async def test_it_waits_no_longer_than_it_is_of_use(sessions: Sessions) -> None:
    shop = await a_shop(sessions)
    await shop.send()
    receipt = await shop.send(step="second", at=NOON + DAY, expires_at=NOON + WEEK - SECOND)
    assert receipt.refusal is RefusalReason.FREQUENCY_CAP
    assert "2026-06-09 12:00 Europe/Berlin; it waits until 2026-06-09 11:59" in receipt.because
    assert (await shop.send(step="third", at=NOON + DAY, expires_at=NOON + WEEK)).until == NOON + WEEK


async def test_it_waits_no_longer_than_the_setting_says(sessions: Sessions) -> None:
    shop = await a_shop(sessions, cap_wait_hours=24)
    await shop.send()
    assert (await shop.send(step="second", at=NOON + DAY)).refusal is RefusalReason.FREQUENCY_CAP
    assert (await shop.send(step="third", at=NOON + WEEK - DAY)).until == NOON + WEEK


# At the same moment


@pytest.mark.parametrize("round_", range(3))
async def test_of_two_journeys_that_send_at_the_same_moment_one_waits(sessions: Sessions, round_: int) -> None:
    shop = await a_shop(sessions, cap_wait_hours=400)
    journeys = [shop.passage, *[await shop.another(f"other-{round_}-{number}") for number in range(3)]]
    for passage in journeys:
        await shop.template(f"{passage.enrollment.id}-mail")
    receipts = await asyncio.gather(*(shop.send(passage) for passage in journeys))
    assert sorted(receipt.status for receipt in receipts) == [*3 * [SendStatus.DEFERRED], SendStatus.SENT]
    assert len(shop.channel.sent) == 1


async def test_attempts_of_one_message_do_not_count_against_each_other(sessions: Sessions) -> None:
    shop = await a_shop(sessions)
    await shop.template(f"{shop.passage.enrollment.id}-mail")
    receipts = await asyncio.gather(*(shop.send() for _ in range(3)), return_exceptions=True)
    assert len(shop.channel.sent) == 1
    told = {receipt.status for receipt in receipts if isinstance(receipt, SendReceipt)}
    assert told <= {SendStatus.SENT, SendStatus.UNKNOWN}, "nobody is told to wait for itself"


# Priority


async def test_of_those_that_wait_the_one_of_higher_priority_gets_the_place(sessions: Sessions) -> None:
    shop = await a_shop(sessions)
    low, high = await shop.another("low"), await shop.another("high")
    await shop.send()
    due = NOON + WEEK
    assert (await shop.send(low, at=due - 2 * DAY, priority=Priority.LOW)).until == due
    assert (await shop.send(high, at=due - DAY, priority=Priority.HIGH)).until == due
    receipt = await shop.send(low, at=due, priority=Priority.LOW)
    assert (receipt.until, receipt.because) == (due + timedelta(minutes=5), "1 message goes first.")
    assert (await shop.send(high, at=due, priority=Priority.HIGH)).status is SendStatus.SENT


async def test_whoever_has_waited_half_of_what_it_may_goes_before_every_priority(sessions: Sessions) -> None:
    shop = await a_shop(sessions)
    low, high = await shop.another("low"), await shop.another("high")
    await shop.send()
    due = NOON + WEEK
    assert (await shop.send(low, at=due - 4 * DAY, priority=Priority.LOW)).until == due
    assert (await shop.send(high, at=due - DAY, priority=Priority.HIGH)).until == due
    assert (await shop.send(high, at=due, priority=Priority.HIGH)).status is SendStatus.DEFERRED
    assert (await shop.send(low, at=due, priority=Priority.LOW)).status is SendStatus.SENT


async def test_a_free_place_is_left_to_who_waits_with_higher_priority(sessions: Sessions) -> None:
    shop = await a_shop(sessions)
    low, high = await shop.another("low"), await shop.another("high")
    await shop.send()
    due = NOON + WEEK
    await shop.send(high, at=due - DAY, priority=Priority.HIGH)
    receipt = await shop.send(low, at=due, priority=Priority.LOW)
    assert (receipt.status, receipt.until) == (SendStatus.DEFERRED, due + timedelta(minutes=5))
    assert (await shop.send(high, at=due, priority=Priority.HIGH)).status is SendStatus.SENT
    assert (await shop.send(low, at=due + timedelta(minutes=5), priority=Priority.LOW)).until == due + WEEK


async def test_who_does_not_come_for_its_turn_blocks_nobody(sessions: Sessions) -> None:
    shop = await a_shop(sessions)
    low, high = await shop.another("low"), await shop.another("high")
    await shop.send()
    await shop.send(high, at=NOON + 6 * DAY, priority=Priority.HIGH)
    minutes = timedelta(minutes=5)
    assert (await shop.send(low, at=NOON + WEEK + minutes, priority=Priority.LOW)).status is SendStatus.SENT


@pytest.mark.parametrize("left", [{"ended_at": NOON}, {"step": "another"}])
async def test_whoever_has_left_the_step_has_left_the_line(sessions: Sessions, left: dict[str, Any]) -> None:
    shop = await a_shop(sessions)
    low, high = await shop.another("low"), await shop.another("high")
    await shop.send()
    await shop.send(high, at=NOON + 6 * DAY, priority=Priority.HIGH)
    async with sessions.begin() as session:
        await session.execute(update(Enrollment).where(Enrollment.id == high.enrollment.id).values(**left))
    assert (await shop.send(low, at=NOON + WEEK, priority=Priority.LOW)).status is SendStatus.SENT


async def test_a_step_that_was_left_and_is_begun_again_does_not_wait_for_itself(sessions: Sessions) -> None:
    shop = await a_shop(sessions)
    other = await shop.another("other")
    await shop.send()
    assert (await shop.send(other, at=NOON + DAY)).status is SendStatus.DEFERRED
    assert (await shop.send(other, at=NOON + 2 * DAY, iteration=2)).until == NOON + WEEK
    assert [row.iteration for row in await shop.waiting()] == [2]
    assert (await shop.send(other, at=NOON + WEEK, iteration=3)).status is SendStatus.SENT


@pytest.mark.parametrize(("left", "later"), [({"ended_at": NOON}, DAY), ({"step": "another"}, WEEK + DAY + SECOND)])
async def test_what_waited_leaves_nothing_behind_once_its_step_is_left(
    sessions: Sessions, left: dict[str, Any], later: timedelta
) -> None:
    shop = await a_shop(sessions)
    gone, stays = await shop.another("gone"), await shop.another("stays")
    await shop.send()
    for passage in (gone, stays):
        await shop.send(passage, at=NOON + HOUR)
    async with sessions.begin() as session:
        for passage in (gone, stays):
            key = vars(MessageKey(passage.enrollment.id, "mail", 1, "email"))
            session.add(PromisedTurn(**key, provider="smtp", turn=NOON + WEEK))
        await session.execute(update(Enrollment).where(Enrollment.id == gone.enrollment.id).values(**left))
    removed = []
    for now in (NOON + HOUR, NOON + later):
        async with sessions.begin() as session:
            removed.append(await remove_leftovers(session, now))
    assert removed == ([1, 0] if "ended_at" in left else [0, 1])
    async with sessions() as session:
        for kept in (WaitingMessage, HeldMessage, PromisedTurn):
            assert list(await session.scalars(select(kept.enrollment_id))) == [stays.enrollment.id]


async def test_a_held_out_contact_keeps_the_pace_and_takes_nobodys_place(sessions: Sessions) -> None:
    shop = await a_shop(sessions)
    held = await shop.another("held")
    async with sessions.begin() as session:
        (await session.get_one(Enrollment, held.enrollment.id)).holdout = True
    await shop.send()
    assert (await shop.send(held, at=NOON + DAY, priority=Priority.HIGH)).until == NOON + WEEK
    low = await shop.another("low")
    assert (await shop.send(low, at=NOON + WEEK, priority=Priority.LOW)).status is SendStatus.SENT
    # It began to wait on the second day, and does so for a week at most.
    assert (await shop.send(held, at=NOON + WEEK, priority=Priority.HIGH)).refusal is RefusalReason.FREQUENCY_CAP
    assert await shop.waiting() == []


async def test_a_held_out_contact_whose_turn_comes_is_refused_for_that(sessions: Sessions) -> None:
    shop = await a_shop(sessions)
    held = await shop.another("held")
    async with sessions.begin() as session:
        (await session.get_one(Enrollment, held.enrollment.id)).holdout = True
    await shop.send()
    assert (await shop.send(held, at=NOON + DAY)).until == NOON + WEEK
    assert (await shop.send(held, at=NOON + WEEK)).refusal is RefusalReason.HOLDOUT


# The same again


async def test_the_same_template_is_refused_within_18_hours_whichever_journey_sends_it(sessions: Sessions) -> None:
    shop = await a_shop(sessions, weekly_cap=0)
    other = await shop.another("other")
    await shop.send(template="welcome")
    receipt = await shop.send(other, template="welcome", at=NOON + timedelta(hours=18) - SECOND)
    assert (receipt.status, receipt.refusal) == (SendStatus.REFUSED, RefusalReason.SENT_BEFORE)
    assert receipt.because == (
        "The contact got this template at 2026-06-02 12:00 Europe/Berlin already; it goes out again after 18 hours."
    )
    again = await shop.send(other, step="again", template="welcome", at=NOON + timedelta(hours=18))
    assert again.status is SendStatus.SENT


@pytest.mark.parametrize(
    ("repeat", "after", "status"),
    [
        ("always", SECOND, SendStatus.SENT),
        ("never", timedelta(days=4_000), SendStatus.REFUSED),
        (timedelta(days=30), timedelta(days=30) - SECOND, SendStatus.REFUSED),
        (timedelta(days=30), timedelta(days=30), SendStatus.SENT),
    ],
)
async def test_a_step_may_say_when_its_template_goes_out_again(
    sessions: Sessions, repeat: Any, after: timedelta, status: SendStatus
) -> None:
    shop = await a_shop(sessions, weekly_cap=0)
    await shop.send(template="welcome")
    assert (await shop.send(step="again", template="welcome", repeat=repeat, at=NOON + after)).status is status


async def test_a_transactional_template_goes_out_as_often_as_it_is_asked_for(sessions: Sessions) -> None:
    shop = await a_shop(sessions)
    receipt = await shop.template("receipt", "transactional")
    for number in range(3):
        sent = await shop.send(step=f"mail-{number}", template=receipt, repeat="never")
        assert sent.status is SendStatus.SENT


# Quiet hours


async def test_of_a_contact_without_a_zone_they_are_hours_where_the_journey_says(sessions: Sessions) -> None:
    shop = await a_shop(sessions)
    async with sessions.begin() as session:
        await ContactRepository(session).apply_traits(shop.passage.contact.id, {"quiet_hours": "21:00-08:00"})
    receipt = await shop.send(time_zone="America/New_York")  # where it is 06:00
    assert (receipt.status, receipt.until) == (SendStatus.DEFERRED, NOON + timedelta(hours=2))
    assert receipt.because == (
        "The contact's quiet hours end at 2026-06-02 08:00 America/New_York. "
        "The contact has no time zone: America/New_York is used."
    )
    assert (await shop.send()).status is SendStatus.SENT


async def test_the_contacts_quiet_hours_hold_a_message_back(sessions: Sessions) -> None:
    shop = await a_shop(sessions)
    traits = {"quiet_hours": "11:00-13:30", "time_zone": "Europe/Berlin"}
    async with sessions.begin() as session:
        await ContactRepository(session).apply_traits(shop.passage.contact.id, traits)
    receipt = await shop.send()
    assert (receipt.status, receipt.until) == (SendStatus.DEFERRED, NOON + timedelta(minutes=90))
    assert receipt.because == "The contact's quiet hours end at 2026-06-02 13:30 Europe/Berlin."
    transactional = await shop.template("receipt", "transactional")
    assert (await shop.send(step="receipt", template=transactional)).status is SendStatus.SENT
    assert (await shop.send(at=NOON + timedelta(minutes=90))).status is SendStatus.SENT
