"""Moving everybody inside a version: page by page, killed in the middle, in order with the events, nobody lost."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.enrollments import EnrollmentActivities
from crm.enrollments import EnrollmentRepository
from crm.journeys import JourneyRepository
from crm.models.contact import Contact
from crm.models.enrollment import DecisionRecord, Enrollment
from crm.models.journey import VersionMove
from crm.publication import Publication, PublicationRepository
from intake.models import OutboxEntry
from intake.moves import MoveRunner, Turn
from intake.relay import Relay
from journeys.migration import Inside, Treatment
from journeys.model import Journey
from tests.support.intake import NOW, Intake, journey
from tests.support.ports import World
from tests.support.temporal import eventually, journey_worker

KEY = "review"
PAUSE: dict[str, Any] = {"id": "pause", "wait": "30d"}
REST: dict[str, Any] = {"id": "rest", "wait": "30d"}
OPEN_END: dict[str, Any] = {"goal": None, "exit": []}
MIGRATE, STOP = Treatment(Inside.MIGRATE), Treatment(Inside.STOP)


@dataclass
class Moving:
    """A journey with contacts inside, whose versions change; workers, relay and runner are here."""

    intake: Intake
    client: Client
    task_queue: str

    def relay(self) -> Relay:
        return Relay(self.intake.sessions, self.client, self.task_queue, self.intake.database_url)

    def runner(self, **sizes: int) -> MoveRunner:
        return MoveRunner(self.intake.sessions, self.intake.database_url, **sizes)

    async def enter(self, number: int = 1) -> list[Enrollment]:
        """So many contacts inside, each started and waiting."""
        for _ in range(number):
            contact = await self.intake.contact()
            await self.intake.tell(contact, "order.placed", {"order_id": "o-1"})
        await self.relay().drain()
        return await self.all_at_rest()

    async def all_at_rest(self) -> list[Enrollment]:
        async def rest() -> bool:
            return all(e.state == "waiting" or e.ended_at for e in await self.intake.enrollments())

        await eventually(rest)
        return list(await self.intake.enrollments())

    async def publish(self, treatment: Treatment = MIGRATE, **parts: Any) -> Publication:
        async with self.intake.sessions.begin() as session:
            await JourneyRepository(session).put_draft(Journey.model_validate(journey(KEY, **{**OPEN_END, **parts})))
            repository = PublicationRepository(session)
            return await repository.publish(KEY, by="ada", treatment=treatment, now=NOW)

    async def carry(self) -> None:
        """Order and carry until nothing is left."""
        while await self.runner().order() is not Turn.NOTHING or await self.intake.count(OutboxEntry):
            await self.relay().drain()

    async def move(self) -> VersionMove:
        async with self.intake.sessions() as session:
            [move] = await session.scalars(select(VersionMove))
            return move

    async def in_version(self, version: int) -> list[Enrollment]:
        """Wait until every enrollment that runs says it is in this version."""

        async def there() -> bool:
            return all(e.version == version for e in await self.intake.enrollments() if not e.ended_at)

        await eventually(there)
        return list(await self.intake.enrollments())


@pytest.fixture
async def moving(intake: Intake, temporal: WorkflowEnvironment, world: World) -> AsyncIterator[Moving]:
    recorder = EnrollmentActivities(intake.sessions)
    activities = [one for one in world.activities() if one.__name__ != "record_progress"]
    world.activities = lambda: [recorder.record_progress, *activities]  # type: ignore[method-assign]
    async with journey_worker(temporal.client, world) as task_queue:
        yield Moving(intake, temporal.client, task_queue)


async def verdicts(intake: Intake, enrollment_id: UUID) -> list[tuple[str, str, str | None]]:
    async with intake.sessions() as session:
        rows = await EnrollmentRepository(session).decisions(enrollment_id)
        return [(row.step, row.verdict, row.next_step) for row in rows]


async def test_everybody_inside_goes_over_and_it_is_counted(moving: Moving) -> None:
    await moving.publish(steps=[PAUSE])
    await moving.enter(3)

    await moving.publish(steps=[{"id": "pause", "wait": "40d"}])
    await moving.carry()

    enrollments = await moving.in_version(2)
    assert [(e.step, e.moving_to, e.due_at and e.due_at - e.since) for e in enrollments] == [
        ("pause", None, timedelta(days=40))
    ] * 3
    move = await moving.move()
    assert (move.ordered, move.moved, move.refused, move.gone) == (3, 3, 0, 0)
    assert move.ordered_at is not None
    assert await verdicts(moving.intake, enrollments[0].id) == [("pause", "migrated", "pause")]
    async with moving.intake.sessions() as session:
        for version, waiting in ((1, 0), (2, 3)):
            for count in (await EnrollmentRepository(session).counts(KEY, version)).values():
                whole = asdict(count)
                assert whole.pop("arrivals") == sum(whole.values()) == 3
                assert count.waiting == waiting


async def test_those_inside_a_stopped_version_leave_and_say_why(moving: Moving) -> None:
    await moving.publish(steps=[PAUSE])
    await moving.enter(2)

    await moving.publish(STOP, steps=[REST])
    await moving.carry()

    async def left() -> bool:
        return all(e.outcome == "stopped by version 2" for e in await moving.intake.enrollments())

    await eventually(left)
    assert (await moving.move()).moved == 2


async def test_who_has_not_been_started_yet_is_started_and_then_moved(moving: Moving) -> None:
    await moving.publish(steps=[PAUSE])
    contact = await moving.intake.contact()
    await moving.intake.tell(contact, "order.placed", {"order_id": "o-1"})

    await moving.publish(steps=[PAUSE, REST])
    await moving.carry()

    [enrollment] = await moving.in_version(2)
    assert (enrollment.entered_version, enrollment.step) == (1, "pause")


async def test_who_ended_meanwhile_is_gone(moving: Moving) -> None:
    await moving.publish(steps=[PAUSE])
    [enrollment] = await moving.enter()
    await moving.publish(steps=[PAUSE, REST])
    assert await moving.runner().order() is Turn.NOTHING
    await moving.intake.end(enrollment.id, NOW)
    await moving.relay().drain()
    move = await moving.move()
    assert (move.ordered, move.moved, move.gone) == (1, 0, 1)


async def test_who_reached_a_vanished_step_meanwhile_finishes_in_its_version(moving: Moving) -> None:
    """The publication found nobody there; then the contact went on. Its events keep meaning what they meant."""
    asked = {"id": "asked", "wait_for": {"event": "page.viewed", "up_to": "9d"}}
    await moving.publish(steps=[asked, PAUSE])
    [enrollment] = await moving.enter()
    await moving.publish(steps=[asked, REST])
    await moving.intake.tell(enrollment.contact_id, "page.viewed")
    await moving.relay().drain()

    async def at_pause() -> bool:
        return (await moving.intake.enrollments())[0].step == "pause"

    await eventually(at_pause)
    await moving.carry()

    [enrollment] = await moving.intake.enrollments()
    move = await moving.move()
    assert (move.moved, move.refused, enrollment.version, enrollment.moving_to) == (0, 1, 1, None)
    assert "step 'pause', which version 2 does not have" in str(move.last_refusal)


async def test_a_killed_runner_is_taken_over_where_it_stopped(moving: Moving) -> None:
    """Pages of two; it dies within the second one, which a contact that is being worked on holds up."""
    await moving.publish(steps=[PAUSE])
    held = (await moving.enter(5))[3].contact_id
    await moving.publish(steps=[PAUSE, REST])

    async with moving.intake.sessions.begin() as session:
        await session.execute(select(Contact).where(Contact.id == held).with_for_update())
        runner = asyncio.create_task(moving.runner(page=2).order())

        async def first_page_is_done() -> bool:
            return await moving.intake.count(OutboxEntry) == 2

        await eventually(first_page_is_done)
        runner.cancel()
        await asyncio.gather(runner, return_exceptions=True)
    assert (await moving.move()).ordered == await moving.intake.count(OutboxEntry) == 2

    await moving.carry()

    enrollments = await moving.in_version(2)
    move = await moving.move()
    assert (move.ordered, move.moved, len(enrollments)) == (5, 5, 5)
    for enrollment in enrollments:
        assert await verdicts(moving.intake, enrollment.id) == [("pause", "migrated", "pause")]


async def test_a_relay_killed_after_its_calls_moves_nobody_twice(moving: Moving) -> None:
    await moving.publish(steps=[PAUSE])
    await moving.enter(2)
    await moving.publish(steps=[PAUSE, REST])
    await moving.runner().order()
    async with moving.intake.sessions() as session:
        entries = list(await session.scalars(select(OutboxEntry)))
    await moving.relay().drain()
    await moving.in_version(2)

    async with moving.intake.sessions.begin() as session:
        session.add_all(
            OutboxEntry(enrollment_id=entry.enrollment_id, kind=entry.kind, payload=entry.payload) for entry in entries
        )
    await moving.relay().drain()

    for enrollment in await moving.all_at_rest():
        assert await verdicts(moving.intake, enrollment.id) == [("pause", "migrated", "pause")]


async def test_several_runners_and_relays_move_everybody_once(moving: Moving) -> None:
    await moving.publish(steps=[PAUSE])
    await moving.enter(8)
    await moving.publish(steps=[PAUSE, REST])

    jobs = [moving.runner().run(), moving.runner().run(), moving.relay().run(), moving.relay().run()]
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        await moving.in_version(2)

        async def counted() -> bool:
            return (await moving.move()).moved == 8

        await eventually(counted)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    assert await moving.intake.count(DecisionRecord) == 8


async def test_an_event_before_the_order_counts_in_the_older_version_and_is_carried_over(moving: Moving) -> None:
    asked = {"id": "asked", "wait_for": {"event": "page.viewed", "up_to": "9d"}}
    await moving.publish(steps=[PAUSE, asked])
    [enrollment] = await moving.enter()
    await moving.intake.tell(enrollment.contact_id, "page.viewed", event_id="view-1")
    await moving.publish(steps=[{"id": "pause", "wait": "1m"}, asked, REST])

    await moving.carry()

    # Nothing skips time here: that the wait is shorter is enough for nothing yet, the event was carried over.
    handle = moving.client.get_workflow_handle(enrollment.workflow_id)
    explanation = await handle.query("explain")
    assert explanation["met"]["step:asked"]["event_id"] == "view-1"


@pytest.mark.parametrize("ordered", [False, True], ids=["before the order", "on the way"])
async def test_an_event_that_only_the_newer_version_listens_for_is_not_missed(moving: Moving, ordered: bool) -> None:  # noqa: FBT001
    """Whether it comes before the move is ordered or between order and move: the exit is the newer version's."""
    await moving.publish(steps=[PAUSE])
    [enrollment] = await moving.enter()
    await moving.publish(steps=[PAUSE], exit=[{"event": "order.refunded"}])
    if ordered:
        await moving.runner().order()
    await moving.intake.tell(enrollment.contact_id, "order.refunded", event_id="refund-1")

    await moving.carry()

    async def left() -> bool:
        return (await moving.intake.enrollments())[0].outcome == "exit criterion met: order.refunded"

    await eventually(left)
    assert (await moving.intake.enrollments())[0].version == 2


async def test_criteria_with_the_same_name_are_not_mistaken_for_each_other(moving: Moving) -> None:
    """`exit:1` is another event in the newer version: one matched for it says nothing in the older."""
    await moving.publish(steps=[PAUSE], exit=[{"event": "a"}])
    [enrollment] = await moving.enter()
    await moving.publish(steps=[PAUSE], exit=[{"event": "b"}, {"event": "a"}])
    await moving.runner().order()
    await moving.intake.tell(enrollment.contact_id, "b")

    await moving.carry()

    async def left() -> bool:
        return (await moving.intake.enrollments())[0].outcome == "exit criterion met: b"

    await eventually(left)


async def test_orders_wait_while_the_outbox_holds_enough(moving: Moving) -> None:
    await moving.publish(steps=[PAUSE])
    await moving.enter(4)
    await moving.publish(steps=[PAUSE, REST])

    assert await moving.runner(page=1, most_waiting=2).order() is Turn.FULL
    assert await moving.intake.count(OutboxEntry) == 2
    await moving.carry()
    assert (await moving.move()).moved == 4


async def test_who_is_on_the_way_into_a_version_moves_on_with_those_inside_it(moving: Moving) -> None:
    await moving.publish(steps=[PAUSE])
    await moving.enter(2)
    await moving.publish(steps=[PAUSE, REST])
    await moving.runner().order()
    await moving.publish(steps=[REST, PAUSE])

    await moving.carry()

    enrollments = await moving.in_version(3)
    assert await verdicts(moving.intake, enrollments[0].id) == [("pause", "migrated", "pause")] * 2


async def test_a_withdrawn_consent_ends_an_enrollment_on_its_way_whatever_version_it_is_in(moving: Moving) -> None:
    consent = {"consent": {"purpose": "marketing", "channel": "email"}}
    entry = {"event": "order.placed", "audience": consent}
    await moving.publish(steps=[PAUSE], entry=entry)
    contact = await moving.intake.contact()
    await moving.intake.tell(
        contact, "consent.granted", {"purpose": "marketing", "channel": "email", "wording": "Yes, please."}
    )
    await moving.intake.tell(contact, "order.placed", {"order_id": "o-1"})
    await moving.relay().drain()
    await moving.all_at_rest()
    await moving.publish(steps=[PAUSE, REST], entry=entry)
    await moving.runner().order()
    await moving.intake.tell(contact, "consent.withdrawn", {"purpose": "marketing", "channel": "email"})

    await moving.carry()

    async def left() -> bool:
        return (await moving.intake.enrollments())[0].outcome == "consent to marketing by email withdrawn"

    await eventually(left)


async def test_without_a_worker_moves_wait_and_nothing_else_does(
    intake: Intake, temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.starter.ANSWER_WITHIN", timedelta(milliseconds=200))
    moving = Moving(intake, temporal.client, "nobody-works-here")
    await moving.publish(steps=[PAUSE])
    first, second = [await intake.contact() for _ in range(2)]
    await intake.tell(first, "order.placed", {"order_id": "o-1"})
    await moving.relay().drain()
    await moving.publish(steps=[PAUSE, REST])
    await moving.runner().order()
    await intake.tell(second, "order.placed", {"order_id": "o-2"})

    await moving.relay().drain()

    [left] = await intake.rows(OutboxEntry)
    assert left.kind == "move"
    assert "did not answer" in left.last_error


async def test_nobody_enters_a_version_that_is_being_replaced(moving: Moving) -> None:
    """Entry and publication exclude each other: who enters is inside before those inside are counted."""
    await moving.publish(steps=[PAUSE])
    contact = await moving.intake.contact()
    await moving.intake.accept(contact, "order.placed", {"order_id": "o-1"})
    async with moving.intake.sessions.begin() as session:
        await JourneyRepository(session).lock(KEY)
        applying = asyncio.create_task(moving.intake.apply())
        done, _ = await asyncio.wait([applying], timeout=0.3)
        assert not done
        await JourneyRepository(session).put_draft(
            Journey.model_validate(journey(KEY, **OPEN_END, steps=[PAUSE, REST]))
        )
        await PublicationRepository(session).publish(KEY, by="ada", treatment=MIGRATE, now=NOW)
    await applying
    [enrollment] = await moving.intake.enrollments()
    assert (enrollment.version, enrollment.entered_version) == (2, 2)


async def test_a_version_on_trial_takes_its_share_and_each_contact_only_one(moving: Moving) -> None:
    await moving.publish(steps=[PAUSE])
    async with moving.intake.sessions.begin() as session:
        await JourneyRepository(session).put_draft(Journey.model_validate(journey(KEY, **OPEN_END, steps=[REST])))
        await PublicationRepository(session).publish(KEY, by="ada", treatment=Treatment(), share=40, now=NOW)
    contacts = [await moving.intake.contact() for _ in range(40)]
    for contact in contacts:
        await moving.intake.accept(contact, "order.placed", {"order_id": "o-1"})
    await moving.intake.apply()

    enrollments = await moving.intake.enrollments()
    assert len({enrollment.contact_id for enrollment in enrollments}) == len(enrollments) == 40
    assert {enrollment.version for enrollment in enrollments} == {1, 2}
    async with moving.intake.sessions() as session:
        for enrollment in enrollments:
            taking = await JourneyRepository(session).taking(KEY, enrollment.contact_id)
            assert taking is not None
            assert taking.version == enrollment.version
