"""The watch on real servers: who is stuck is found once, what is gone is ended, one mail tells of it."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update
from structlog.testing import capture_logs
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from crm.access import AuditRepository
from crm.enrollments import EnrollmentRepository, StepCounts
from crm.journeys import JourneyRepository
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from crm.models.steering import Steer
from crm.steering import AtStep, Operator, SteeringRepository
from intake import halts, stuck
from intake.halts import MANY, HaltKind
from intake.models import OutboxEntry, StuckFinding, StuckWatch
from intake.outbox import request_exit
from intake.stuck import Search, Stuck, StuckKind
from intake.vanished import UNKNOWN
from intake.watch import Watch
from journeys.outcomes import JourneyState, StepVerdict
from kit.clock import wall_clock
from kit.settings import Settings
from kit.temporal import connect
from messaging.channels.base import Accepted, NotSent, Outgoing
from messaging.channels.smtp import SmtpChannel
from tests.integration.intake.test_moves import KEY, PAUSE, REST, Moving, moving, verdicts
from tests.support.api import CLOSED_PORT
from tests.support.builders import a_contact, an_enrollment
from tests.support.messaging import RecordingChannel, TestClock
from tests.support.ports import SENT, World, fails_for_good, outage
from tests.support.smtp import MailServer
from tests.support.temporal import BY_OPS, eventually
from workflows import starter
from workflows.inspection import ended_from_outside, inspect
from workflows.state import Decision

__all__ = ["moving"]

OPERATORS = "ops@example.com"
LONG_AGO = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@dataclass
class Watching:
    """A watch over journeys on a real server, whose clock the test moves."""

    moving: Moving
    clock: TestClock = field(default_factory=lambda: TestClock(wall_clock()))
    channel: Any = field(default_factory=RecordingChannel)
    settings: dict[str, Any] = field(default_factory=dict)

    def watch(self, every: timedelta = timedelta()) -> Watch:
        settings = Settings(task_queue=self.moving.task_queue, alert_email=OPERATORS, **self.settings)
        sessions = self.moving.intake.sessions
        return Watch(sessions, self.moving.client, self.channel, settings, clock=self.clock, every=every)

    async def look(self) -> None:
        self.clock.now = max(self.clock.now, wall_clock())
        assert await self.watch().look()

    @property
    def search(self) -> Search:
        return Search(self.clock.now, timedelta(minutes=5))

    async def stuck(self, **more: Any) -> list[Stuck]:
        async with self.moving.intake.sessions() as session:
            return await stuck.rows(session, self.search, **more)

    async def kinds(self) -> list[StuckKind]:
        return [one.kind for one in await self.stuck()]

    async def halts(self) -> list[HaltKind]:
        async with self.moving.intake.sessions() as session:
            return [halt.kind for halt in await halts.halts(session, self.search)]

    async def change(self, enrollment_id: UUID, **values: Any) -> None:
        async with self.moving.intake.sessions.begin() as session:
            await session.execute(update(Enrollment).where(Enrollment.id == enrollment_id).values(**values))

    async def terminate(self, enrollment: Enrollment, reason: str = "") -> None:
        await self.moving.client.get_workflow_handle(enrollment.workflow_id).terminate(reason=reason)

    async def one(self, enrollment_id: UUID) -> Enrollment:
        async with self.moving.intake.sessions() as session:
            return await session.get_one(Enrollment, enrollment_id)

    async def audited(self, enrollment_id: UUID) -> list[tuple[str, str]]:
        async with self.moving.intake.sessions() as session:
            entries = await AuditRepository(session).of(f"enrollment:{enrollment_id}")
            return [(entry.actor, entry.action) for entry in entries]


@pytest.fixture
async def watching(moving: Moving) -> Watching:
    await moving.publish(steps=[PAUSE], entry={"event": "order.placed", "again": "after_exit"})
    return Watching(moving)


async def test_a_terminated_workflow_ends_its_enrollment_so_that_the_contact_may_enter_again(
    watching: Watching,
) -> None:
    gone, stays = await watching.moving.enter(2)
    await watching.terminate(gone, "a test")

    async def seen() -> bool:
        await watching.look()
        return (await watching.one(gone.id)).ended_at is not None

    await eventually(seen)
    ended = await watching.one(gone.id)
    assert (ended.state, ended.step, ended.outcome) == ("terminated", None, "terminated in Temporal: a test")
    assert await verdicts(watching.moving.intake, gone.id) == [("pause", "exited", None)]
    assert await watching.audited(gone.id) == [("watch", "enrollment.terminated")]
    assert (await watching.one(stays.id)).state == "waiting"
    async with watching.moving.intake.sessions() as session:
        counts = (await EnrollmentRepository(session).counts(KEY, 1))["pause"]
    assert counts == StepCounts(arrivals=2, waiting=1, exited=1)
    names = [event.name for event in await watching.moving.intake.rows(Event) if event.contact_id == gone.contact_id]
    assert names.count("journey.exited") == 1
    await watching.moving.intake.tell(gone.contact_id, "order.placed", {"order_id": "o-2"})
    assert len(await watching.moving.intake.enrollments()) == 3


async def test_one_that_was_reset_in_temporal_goes_on(watching: Watching) -> None:
    [enrollment] = await watching.moving.enter()
    client = watching.moving.client
    handle = client.get_workflow_handle(enrollment.workflow_id)
    run_id = (await handle.describe()).run_id
    first = next(
        e for e in (await handle.fetch_history()).events if e.HasField("workflow_task_completed_event_attributes")
    )
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=enrollment.workflow_id, run_id=run_id),
            reason="a test",
            workflow_task_finish_event_id=first.event_id,
            request_id=run_id,
        )
    )

    async def listed() -> bool:
        return enrollment.id in [one async for one in ended_from_outside(client, wall_clock() - timedelta(minutes=5))]

    await eventually(listed)
    await watching.look()
    assert (await watching.one(enrollment.id)).state == "waiting"


async def test_what_ended_by_itself_and_was_not_written_ends_as_it_did(watching: Watching) -> None:
    """As after the database was restored from a copy that is older than the end."""
    [enrollment] = await watching.moving.enter()
    await starter.end(watching.moving.client, enrollment.workflow_id, BY_OPS)
    await eventually(lambda: is_over(watching, enrollment.id))
    await watching.change(enrollment.id, state="waiting", step="pause", ended_at=None, due_at=LONG_AGO, since=LONG_AGO)
    await watching.look()
    ended = await watching.one(enrollment.id)
    assert (ended.state, ended.outcome) == ("exited", f"{BY_OPS.by}: {BY_OPS.reason}")
    assert await watching.kinds() == []


async def is_over(watching: Watching, enrollment_id: UUID) -> bool:
    return (await watching.one(enrollment_id)).ended_at is not None


async def test_a_start_that_was_lost_is_ordered_anew_once(watching: Watching) -> None:
    contact = await watching.moving.intake.contact()
    await watching.moving.intake.tell(contact, "order.placed", {"order_id": "o-1"})
    async with watching.moving.intake.sessions.begin() as session:
        await session.execute(delete(OutboxEntry))
    await watching.look()
    assert await watching.kinds() == [StuckKind.NOT_STARTED]
    watching.clock.forward(timedelta(minutes=15))
    await watching.look()
    [enrollment] = await watching.moving.intake.enrollments()
    assert await watching.moving.intake.outbox() == [("start", enrollment.id, [])]
    assert await watching.audited(enrollment.id) == [("watch", "enrollment.start")]
    await watching.moving.relay().drain()
    await watching.moving.all_at_rest()
    watching.clock.now = wall_clock()
    assert await watching.kinds() == []


async def test_one_that_had_begun_and_that_temporal_has_forgotten_waits_for_somebody_to_end_it(
    watching: Watching,
) -> None:
    [enrollment] = await watching.moving.enter()
    await watching.change(enrollment.id, workflow_id="forgotten", due_at=LONG_AGO, since=LONG_AGO)
    await watching.look()
    await watching.look()
    marked = await watching.one(enrollment.id)
    assert (marked.state, marked.step, marked.attention) == ("needs_attention", "pause", UNKNOWN)
    [found] = await watching.stuck()
    assert (found.kind, found.reason) == (StuckKind.WITHOUT_WORKFLOW, UNKNOWN)
    assert await watching.audited(enrollment.id) == [("watch", "enrollment.lost")]

    async with watching.moving.intake.sessions.begin() as session:
        await request_exit(session, marked, reason="given up", event_id="exit-1")
    await watching.moving.relay().drain()
    ended = await watching.one(enrollment.id)
    assert (ended.state, ended.outcome) == ("terminated", "given up")
    assert await watching.kinds() == []


async def test_many_whom_temporal_has_forgotten_are_ended_by_one_order(watching: Watching) -> None:
    for enrollment in await watching.moving.enter(2):
        await watching.change(enrollment.id, workflow_id=f"forgotten-{enrollment.id}", due_at=LONG_AGO, since=LONG_AGO)
    await watching.look()
    assert await watching.kinds() == [StuckKind.WITHOUT_WORKFLOW] * 2
    await steer(watching, Steer.EXIT, AtStep("pause", attention="Temporal does not know"))
    ended = await watching.moving.intake.enrollments()
    assert [(one.state, one.outcome) for one in ended] == [("terminated", "ended by ada")] * 2


async def test_an_action_that_is_tried_again_and_again_is_named(watching: Watching, world: World) -> None:
    world.sending.always(outage())
    await watching.moving.publish(steps=[{"id": "mail", "send": {"template": "hello"}}])
    contact = await watching.moving.intake.contact()
    await watching.moving.intake.tell(contact, "order.placed", {"order_id": "o-1"})
    await watching.moving.relay().drain()
    [enrollment] = await watching.moving.intake.enrollments()

    async def tried_again() -> bool:
        found = await inspect(watching.moving.client, enrollment.workflow_id, enrollment.id)
        return "tried again" in found.detail

    await eventually(tried_again)
    await watching.look()
    [found] = await watching.stuck()
    assert found.kind is StuckKind.NOT_STARTED
    assert found.reason.startswith("send_message is tried again and again: ")
    world.sending.always(SENT)


async def test_a_process_looks_again_and_again_whatever_goes_wrong(watching: Watching) -> None:
    """The first two looks fail."""
    times = iter([OSError("no clock"), OSError("no clock")])

    def clock() -> datetime:
        if (trouble := next(times, None)) is not None:
            raise trouble
        return wall_clock()

    watching.clock = clock  # type: ignore[assignment]
    running = asyncio.create_task(watching.watch(timedelta(milliseconds=10)).run())
    await eventually(lambda: has_looked(watching))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def has_looked(watching: Watching) -> bool:
    return await watching.moving.intake.count(StuckWatch) == 1


async def late(watching: Watching, number: int) -> None:
    """So many who are late, as far as the database knows; nothing of them is in Temporal."""
    async with watching.moving.intake.sessions.begin() as session:
        version = await JourneyRepository(session).version(KEY, 1)
        assert version is not None
        for _ in range(number):
            contact = await a_contact(session)
            one = await an_enrollment(
                session, contact.id, version, state=JourneyState.WAITING, step="pause", entered_at=LONG_AGO
            )
            one.due_at = LONG_AGO


async def somebody_moves(watching: Watching) -> None:
    async with watching.moving.intake.sessions.begin() as session:
        first = (await session.scalars(select(Enrollment).order_by(Enrollment.id).limit(1))).one()
        last = Decision(
            ordinal=0, step="pause", verdict=StepVerdict.PASSED, entered_at=LONG_AGO, at=LONG_AGO, next_step="pause"
        )
        await EnrollmentRepository(session).record(
            first.id, state="waiting", step="pause", since=LONG_AGO, due_at=LONG_AGO, decisions=[last]
        )


async def test_a_backlog_is_one_finding_and_where_temporal_knows_nobody_nothing_is_changed(watching: Watching) -> None:
    await late(watching, MANY)
    with capture_logs() as logs:
        await watching.look()
        await watching.look()
    assert await watching.halts() == [HaltKind.NOTHING_MOVES]
    assert [one["kind"] for one in logs if one["event"] == "installation_stuck"] == ["nothing_moves"]
    assert not [one for one in logs if one["event"] == "enrollment_stuck"]
    [mail] = watching.channel.sent
    assert mail.subject == "Dauerlauf: nothing moves"
    assert "and 10 enrollments should have gone on" in mail.text
    assert "Enrollments that are stuck" not in mail.text

    await somebody_moves(watching)
    await watching.look()
    assert await watching.halts() == [HaltKind.NOBODY_KNOWN]
    assert await watching.kinds() == [StuckKind.OVERDUE] * MANY
    assert {one.state for one in await watching.moving.intake.enrollments()} == {"waiting"}


async def failing(watching: Watching, world: World, number: int = 1) -> list[Enrollment]:
    """So many whose message cannot be sent for good."""
    world.sending.always(fails_for_good("The template 'hello' has no variable 'voucher'."))
    await watching.moving.publish(steps=[{"id": "mail", "send": {"template": "hello"}}, REST])
    await watching.moving.runner().order()
    return await more_failing(watching, number)


async def more_failing(watching: Watching, number: int = 1) -> list[Enrollment]:
    for _ in range(number):
        contact = await watching.moving.intake.contact()
        await watching.moving.intake.tell(contact, "order.placed", {"order_id": "o-1"})
    await watching.moving.relay().drain()

    async def parked() -> bool:
        return all(one.state == "needs_attention" for one in await watching.moving.intake.enrollments())

    await eventually(parked)
    return list(await watching.moving.intake.enrollments())


async def test_who_failed_is_logged_and_told_once_and_mended_by_one_order(watching: Watching, world: World) -> None:
    failed = await failing(watching, world, 2)
    with capture_logs() as logs:
        await watching.look()
        await watching.look()
    assert {one["enrollment"] for one in logs if one["event"] == "enrollment_stuck"} == {str(f.id) for f in failed}
    assert len([one for one in logs if one["event"] == "enrollment_stuck"]) == 2
    [mail] = watching.channel.sent
    assert mail.subject == "Dauerlauf: 2 enrollments are stuck"
    assert mail.recipient.address == OPERATORS
    assert f"* 2 in {KEY}, step mail: needs attention" in mail.text
    assert "has no variable 'voucher'" in mail.text
    assert not any(str(one.contact_id) in mail.text for one in failed)

    world.sending.always(SENT)
    await steer(watching, Steer.RETRY, AtStep("mail", attention="no variable 'other'"))
    assert await watching.kinds() == [StuckKind.NEEDS_ATTENTION] * 2
    await steer(watching, Steer.RETRY, AtStep("mail", attention="no variable 'voucher'"))

    async def rest() -> bool:
        return all(one.step == "rest" for one in await watching.moving.intake.enrollments())

    await eventually(rest)
    await watching.look()
    assert await watching.kinds() == []
    assert await watching.moving.intake.count(StuckFinding) == 0
    assert len(watching.channel.sent) == 1


async def steer(watching: Watching, action: Steer, whom: AtStep) -> None:
    async with watching.moving.intake.sessions.begin() as session:
        await SteeringRepository(session).steer(KEY, action, whom, Operator("ada"))
    await watching.moving.carry()


@pytest.mark.parametrize(("action", "state"), [(Steer.SKIP, "waiting"), (Steer.EXIT, "exited")])
async def test_only_who_failed_at_the_step_is_skipped_or_ended(
    watching: Watching, world: World, action: Steer, state: str
) -> None:
    [failed] = await failing(watching, world)
    await steer(watching, action, AtStep("mail", parked=True))
    await eventually(lambda: stands(watching, failed.id, state))
    async with watching.moving.intake.sessions() as session:
        [order] = await SteeringRepository(session).orders(KEY)
        assert await SteeringRepository(session).count(KEY, action, AtStep("rest", parked=True)) == 0
    assert (order.parked, order.ordered, order.carried) == (True, 1, 1)


async def stands(watching: Watching, enrollment_id: UUID, state: str) -> bool:
    return (await watching.one(enrollment_id)).state == state


async def test_mails_keep_their_distance_and_what_was_not_taken_is_told_again(watching: Watching, world: World) -> None:
    await failing(watching, world)

    async def refuse(_: Outgoing) -> Accepted:
        raise NotSent("the mail server could not be reached")

    watching.channel.behave = refuse
    await watching.look()
    watching.channel.behave = None
    await watching.look()
    assert len(watching.channel.sent) == 2
    await more_failing(watching)
    await watching.look()
    assert len(watching.channel.sent) == 2
    watching.clock.forward(timedelta(minutes=61))
    await watching.look()
    assert watching.channel.sent[-1].subject == "Dauerlauf: 2 enrollments are stuck"
    assert len(watching.channel.sent) == 3
    watching.clock.forward(timedelta(hours=23))
    await watching.look()
    assert len(watching.channel.sent) == 3
    watching.clock.forward(timedelta(hours=2))
    await watching.look()
    assert len(watching.channel.sent) == 4


async def test_of_several_watches_one_looks_and_one_mail_is_sent(
    watching: Watching, world: World, mails: MailServer
) -> None:
    await failing(watching, world)
    watching.settings = {"smtp_port": mails.port}
    watching.channel = SmtpChannel(Settings(smtp_port=mails.port))
    looked = await asyncio.gather(*(watching.watch(timedelta(minutes=1)).look() for _ in range(3)))
    assert sorted(looked) == [False, False, True]
    [mail] = mails.mails
    assert (mail["To"], mail.get_content_type()) == (OPERATORS, "text/plain")
    assert "1 in review, step mail: needs attention" in mail.get_content()


async def test_without_temporal_that_is_told_after_a_while_and_nothing_is_changed(watching: Watching) -> None:
    [enrollment] = await watching.moving.enter()
    await watching.change(enrollment.id, due_at=LONG_AGO, since=LONG_AGO)
    watching.moving.client = await connect(Settings(), lazy=True, target_host=CLOSED_PORT)
    await watching.look()
    assert await watching.halts() == []
    watching.clock.forward(timedelta(minutes=6))
    await watching.look()
    assert await watching.halts() == [HaltKind.TEMPORAL_AWAY]
    assert await watching.moving.intake.count(StuckFinding) == 2
    assert (await watching.one(enrollment.id)).state == "waiting"


async def test_one_that_is_late_alone_is_told_with_what_temporal_says(watching: Watching) -> None:
    [enrollment] = await watching.moving.enter()
    await watching.change(enrollment.id, due_at=LONG_AGO, since=LONG_AGO)
    await watching.look()
    [found] = await watching.stuck()
    assert (found.enrollment_id, found.kind, found.since) == (enrollment.id, StuckKind.OVERDUE, LONG_AGO)
    assert (await watching.one(enrollment.id)).state == "waiting"


async def test_what_cannot_be_delivered_is_told_though_its_contact_waits_for_its_time(watching: Watching) -> None:
    [enrollment] = await watching.moving.enter()
    async with watching.moving.intake.sessions.begin() as session:
        entry = {"kind": "deliver", "payload": {}, "created_at": LONG_AGO}
        session.add(OutboxEntry(enrollment_id=enrollment.id, **entry))
    assert await watching.halts() == [HaltKind.OUTBOX_WAITS, HaltKind.UNWATCHED]
    await watching.moving.relay().drain()
    [found] = await watching.stuck()
    assert (found.kind, found.reason, found.since) == (StuckKind.NOT_DELIVERED, "ValidationError", LONG_AGO)
    await watching.look()
    assert await watching.halts() == []
    assert await watching.moving.intake.count(StuckFinding) == 1
