"""The watch on real servers: who is stuck is found once, what is gone is ended, one mail tells of it."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from crm.access import AuditRepository
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from intake import halts, stuck
from intake.halts import HaltKind
from intake.stuck import Search, Stuck, StuckKind
from intake.watch import Watch
from kit.clock import wall_clock
from kit.settings import Settings
from tests.integration.intake.test_moves import PAUSE, Moving, moving, verdicts
from tests.support.messaging import RecordingChannel, TestClock
from tests.support.temporal import eventually

__all__ = ["moving"]

OPERATORS = "ops@example.com"


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
    names = [event.name for event in await watching.moving.intake.rows(Event) if event.contact_id == gone.contact_id]
    assert names.count("journey.exited") == 1
    await watching.moving.intake.tell(gone.contact_id, "order.placed", {"order_id": "o-2"})
    assert len(await watching.moving.intake.enrollments()) == 3
