"""Who is let into a journey, who is turned away, and what is kept of either."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from crm.models.contact import Contact
from crm.models.event import Event
from crm.models.journey import JourneyVersion, VersionState
from intake.enrollment import (
    AlreadyRunning,
    Enrolled,
    EnrollmentRefusal,
    EnrollmentResult,
    NotEnrolled,
    enroll,
    request_exit,
)
from intake.models import EntryRefusal, OutboxEntry
from kit.errors import NotFound
from tests.support.intake import MARKETING, NOW, Intake

DAY = timedelta(days=1)


async def ask(
    intake: Intake, version: JourneyVersion, contact: UUID, properties: dict[str, Any] | None = None, **more: Any
) -> EnrollmentResult:
    """Entry over the API."""
    async with intake.sessions.begin() as session:
        return await enroll(
            session, version, contact, cause_event=None, properties=properties or {}, now=intake.now, **more
        )


async def test_an_entry_event_enrolls_and_orders_the_start(intake: Intake) -> None:
    contact = await intake.contact()
    version = await intake.publish()

    event_id = await intake.tell(contact, "order.placed", {"order_id": "o-1"}, ago=timedelta(hours=1))

    [enrollment] = await intake.enrollments()
    assert (enrollment.journey_key, enrollment.version) == ("review", version.version)
    assert enrollment.workflow_id == f"review:{contact}"
    assert enrollment.state == "starting"
    assert enrollment.since == NOW
    assert (enrollment.entry_event_id, enrollment.entry_properties) == (event_id, {"order_id": "o-1"})
    assert enrollment.entered_at == NOW - timedelta(hours=1)  # when the entry occurred, not when it was heard of
    assert enrollment.entry_sequence == (await intake.rows(Event))[0].sequence
    assert await intake.outbox() == [("start", enrollment.id, [])]
    assert await intake.refusals() == []


async def test_an_event_no_journey_listens_for_leaves_no_trace_but_itself(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish()

    await intake.tell(contact, "page.viewed")

    assert await intake.enrollments() == []
    assert await intake.outbox() == []
    assert await intake.refusals() == []


async def test_an_event_whose_properties_do_not_fit_is_no_entry_and_no_refusal(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry={"event": "order.placed", "where": {"order_number": 1}})

    await intake.tell(contact, "order.placed", {"order_number": 2})

    assert (await intake.enrollments(), await intake.refusals()) == ([], [])


async def test_an_entry_that_cannot_be_judged_is_refused_visibly(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry={"event": "order.placed", "where": {"total": {"at_least": 50}}})

    await intake.tell(contact, "order.placed", {"total": "much"}, event_id="e-1")

    assert await intake.refusals() == [("undecidable", "e-1")]


async def test_a_contact_outside_the_audience_is_refused_with_reason_and_cause(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry={"event": "order.placed", "audience": MARKETING})

    await intake.tell(contact, "order.placed", event_id="e-1")

    assert (await intake.enrollments(), await intake.outbox()) == ([], [])
    [refusal] = await intake.rows(EntryRefusal)
    assert (refusal.reason, refusal.cause_event_id, refusal.contact_id) == ("audience", "e-1", contact)
    assert (refusal.journey_key, refusal.at) == ("review", NOW)
    assert refusal.because == "consent to marketing by email does not stand"


async def test_a_consent_given_just_before_in_the_same_batch_counts(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry={"event": "order.placed", "audience": MARKETING})

    await intake.accept(contact, "consent.granted")
    await intake.accept(contact, "order.placed")
    await intake.apply()

    assert len(await intake.enrollments()) == 1


async def test_an_entry_while_one_runs_is_refused_whatever_the_rule(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry={"event": "order.placed", "again": "after_exit"})

    await intake.tell(contact, "order.placed", event_id="e-1")
    await intake.tell(contact, "order.placed", event_id="e-2")

    assert [enrollment.entry_event_id for enrollment in await intake.enrollments()] == ["e-1"]
    assert await intake.refusals() == [("already_running", "e-2")]


async def test_never_again_means_never(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish()
    await intake.tell(contact, "order.placed")
    await intake.end((await intake.enrollments())[0].id, NOW)

    intake.now += 3_650 * DAY
    await intake.tell(contact, "order.placed", event_id="e-2")

    assert await intake.refusals() == [("already_entered", "e-2")]


async def test_after_exit_a_contact_may_enter_again_under_the_same_workflow_id(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry={"event": "order.placed", "again": "after_exit"})
    await intake.tell(contact, "order.placed")
    await intake.end((await intake.enrollments())[0].id, NOW)

    await intake.tell(contact, "order.placed")

    first, second = await intake.enrollments()
    assert first.workflow_id == second.workflow_id
    assert await intake.outbox() == [("start", first.id, []), ("start", second.id, [])]


async def test_a_cooldown_counts_from_the_end_of_the_last_passage(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry={"event": "order.placed", "again": {"cooldown": "90d"}})
    await intake.tell(contact, "order.placed", ago=30 * DAY)
    await intake.end((await intake.enrollments())[0].id, NOW)

    intake.now = NOW + 89 * DAY
    await intake.tell(contact, "order.placed", event_id="e-2")
    intake.now = NOW + 90 * DAY
    await intake.tell(contact, "order.placed", event_id="e-3")

    assert [enrollment.entry_event_id for enrollment in await intake.enrollments()][1:] == ["e-3"]
    assert await intake.refusals() == [("cooling_down", "e-2")]


async def test_one_passage_per_order_in_parallel_and_none_twice(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry={"event": "order.placed", "again": {"per": "order_id"}})

    await intake.tell(contact, "order.placed", {"order_id": "o-1"})
    await intake.tell(contact, "order.placed", {"order_id": "ada@example.com"})
    await intake.tell(contact, "order.placed", {"order_id": "o-1"}, event_id="e-3")
    await intake.end((await intake.enrollments())[0].id, NOW)
    await intake.tell(contact, "order.placed", {"order_id": "o-1"}, event_id="e-4")
    await intake.tell(contact, "order.placed", {}, event_id="e-5")

    first, second = await intake.enrollments()
    assert (first.entry_key, second.entry_key) == ("o-1", "ada@example.com")
    assert first.workflow_id != second.workflow_id
    assert "ada" not in second.workflow_id  # a key may be personal
    assert await intake.refusals() == [("already_running", "e-3"), ("already_entered", "e-4"), ("no_entry_key", "e-5")]


async def test_a_version_that_no_longer_takes_contacts_says_so(intake: Intake) -> None:
    contact = await intake.contact()
    version = await intake.publish()
    async with intake.sessions.begin() as session:
        await session.execute(update(JourneyVersion).values(state=VersionState.FINISHING))
        version = await session.get_one(JourneyVersion, (version.journey_key, version.version))

    result = await ask(intake, version, contact)
    await intake.tell(contact, "order.placed")

    assert isinstance(result, NotEnrolled)
    assert result.reason is EnrollmentRefusal.JOURNEY_NOT_LIVE
    assert await intake.refusals() == [("journey_not_live", None)]  # the event found no door at all


async def test_no_more_enter_than_the_entry_says_by_whichever_way_and_version(intake: Intake) -> None:
    entry = {"event": "order.placed", "again": {"per": "order_id"}, "at_most": 3}
    version = await intake.publish(entry=entry)
    first, second = await intake.contact(), await intake.contact()
    await intake.tell(first, "order.placed", {"order_id": "o-1"})
    await intake.tell(first, "order.placed", {"order_id": "o-2"})
    [enrollment, _] = await intake.enrollments()
    await intake.end(enrollment.id, NOW)
    assert isinstance(await ask(intake, version, second, {"order_id": "o-3"}), Enrolled)
    await intake.publish(entry=entry, steps=[{"id": "pause", "wait": "2d"}])

    await intake.tell(second, "order.placed", {"order_id": "o-4"})
    await intake.tell(second, "order.placed", {"order_id": "o-3"})

    assert len(await intake.enrollments()) == 3
    assert [reason for reason, _ in await intake.refusals()] == ["journey_full", "already_running"]


async def test_the_last_place_goes_to_one_of_many_who_come_at_once(intake: Intake) -> None:
    await intake.publish(entry={"event": "order.placed", "at_most": 5})
    await intake.publish("other", entry={"event": "order.placed", "at_most": 5})
    for _ in range(30):
        await intake.accept(await intake.contact(), "order.placed", {"order_id": "o-1"})
    await asyncio.gather(*(intake.consumer().drain() for _ in range(6)))
    await intake.apply()
    entered = Counter(one.journey_key for one in await intake.enrollments())
    assert entered == {"review": 5, "other": 5}
    assert len(await intake.refusals()) == 50


async def test_entry_over_the_api_is_the_same_door(intake: Intake) -> None:
    contact = await intake.contact()
    version = await intake.publish(entry={"again": {"per": "order_id"}})

    first = await ask(intake, version, contact, {"order_id": "o-1"})
    again = await ask(intake, version, contact, {}, entry_key="o-1")

    assert isinstance(first, Enrolled)
    assert first.enrollment.entered_at == NOW
    assert first.enrollment.entry_event_id is None
    assert isinstance(again, AlreadyRunning)
    assert again.enrollment.id == first.enrollment.id
    assert await intake.refusals() == [("already_running", None)]


async def test_the_newest_event_of_all_is_not_taken_for_the_entry_of_whoever_enters_without_one(intake: Intake) -> None:
    contact = await intake.contact()
    version = await intake.publish()
    await intake.accept(contact, "review.created", ago=-timedelta(seconds=1))

    entered = await ask(intake, version, contact)
    await intake.apply()

    assert isinstance(entered, Enrolled)
    assert [one.goal_met_at for one in await intake.enrollments()] == [NOW + timedelta(seconds=1)]


async def test_a_contact_that_does_not_exist_is_an_error(intake: Intake) -> None:
    version = await intake.publish()

    with pytest.raises(NotFound):
        await ask(intake, version, uuid4())


async def test_of_many_who_ask_at_the_same_time_one_gets_in(intake: Intake) -> None:
    contact = await intake.contact()
    version = await intake.publish()

    results = await asyncio.gather(*(ask(intake, version, contact) for _ in range(8)))

    assert sorted(type(result).__name__ for result in results) == ["AlreadyRunning"] * 7 + ["Enrolled"]
    assert len(await intake.outbox()) == 1


async def test_an_entry_from_the_future_is_an_entry_of_now(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish()

    await intake.tell(contact, "order.placed", ago=-timedelta(days=2))

    assert (await intake.enrollments())[0].entered_at == NOW


async def test_an_imported_entry_keeps_the_date_it_occurred_on(intake: Intake) -> None:
    """Conditions and the goal's limit count from there; timers run from now, since workflows live in the present."""
    contact = await intake.contact()
    await intake.publish(goal={"type": "sell", "event": "review.created", "within": "30d"})
    long_ago = NOW - datetime(1997, 1, 5, tzinfo=UTC)

    await intake.tell(contact, "order.placed", ago=long_ago)
    await intake.tell(contact, "review.created", ago=long_ago - 31 * DAY)
    await intake.tell(contact, "review.created", ago=long_ago - 30 * DAY)

    [enrollment] = await intake.enrollments()
    assert enrollment.entered_at == datetime(1997, 1, 5, tzinfo=UTC)
    assert enrollment.since == NOW
    assert [criteria for _, _, criteria in await intake.outbox()] == [[], ["goal"]]


@pytest.mark.parametrize(
    ("name", "reason"), [("review.created", "goal_already_met"), ("order.refunded", "exit_already_met")]
)
async def test_a_late_entry_is_refused_where_goal_or_exit_overtook_it(intake: Intake, name: str, reason: str) -> None:
    contact = await intake.contact()
    await intake.publish()

    await intake.tell(contact, name, {"order_id": "o-1"}, ago=timedelta(hours=1))
    await intake.tell(contact, "order.placed", {"order_id": "o-1"}, event_id="e-2", ago=timedelta(hours=2))

    assert await intake.enrollments() == []
    assert await intake.refusals() == [(reason, "e-2")]


async def test_what_a_step_waits_for_may_overtake_the_entry(intake: Intake) -> None:
    contact = await intake.contact()
    steps = [{"id": "asked", "wait_for": {"event": "survey.answered", "up_to": "2d"}}]
    await intake.publish(steps=steps)

    await intake.tell(contact, "survey.answered", ago=timedelta(hours=3))  # of the time before
    await intake.tell(contact, "survey.answered", ago=timedelta(hours=1))
    await intake.tell(contact, "order.placed", ago=timedelta(hours=2))

    assert [(kind, criteria) for kind, _, criteria in await intake.outbox()] == [
        ("start", []),
        ("deliver", ["step:asked"]),
    ]


async def test_an_exit_is_asked_for_once_and_not_of_those_who_have_left(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish()
    await intake.tell(contact, "order.placed")
    [running] = await intake.enrollments()

    async with intake.sessions.begin() as session:
        await request_exit(session, running, reason="asked by ops", event_id="request-1", at=NOW)
    await intake.end(running.id, NOW)
    async with intake.sessions.begin() as session:
        [ended] = await intake.enrollments()
        await request_exit(session, ended, reason="asked by ops", event_id="request-2")

    assert [criteria for _, _, criteria in await intake.outbox()] == [[], ["exit:requested"]]
    assert (await intake.rows(OutboxEntry))[-1].payload == {
        "enrollment_id": str(running.id),
        "event_id": "request-1",
        "at": "2026-03-02T09:00:00Z",
        "criteria": ["exit:requested"],
        "reason": "asked by ops",
    }


async def test_an_erased_contact_takes_its_refusals_along(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry={"event": "order.placed", "audience": MARKETING})
    await intake.tell(contact, "order.placed")

    async with intake.sessions.begin() as session:
        await session.delete(await session.get_one(Contact, contact))

    assert await intake.refusals() == []
