"""The watch: looks every minute for what is stuck, mends what can be mended, and tells of the rest once.

Any process of the installation may run it; of several, one makes each look. Every part of a look may be done twice.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select
from temporalio.client import Client

from crm.models.enrollment import Enrollment
from intake import findings
from intake.alerts import send_alert
from intake.findings import Suspect
from intake.halts import MANY, Halt, HaltKind, halts_in_database, told_one_by_one
from intake.stuck import Search
from intake.vanished import Repair, repair
from kit.clock import Clock, wall_clock
from kit.database import Sessions
from kit.errors import Unavailable
from kit.settings import Settings
from messaging.channels.base import Channel
from workflows.inspection import Inspection, Whereabouts, backlog, ended_from_outside, inspect

EVERY = timedelta(minutes=1)
_OVERLAP = timedelta(minutes=10)
"""How far each question to Temporal reaches back behind the last one: what it lists may come late."""
_ASKED_AT_ONCE = 10
_REPAIRED_AT_ONCE = 500

_log = structlog.get_logger(__name__)

_AWAY = (Unavailable, RuntimeError, OSError)
"""Temporal does not answer; a lazy client that cannot connect says so with a bare RuntimeError."""


class Watch:
    """Looks for what is stuck. `run` for a process, `look` for whoever wants it done now.

    `channel` carries the mails to operators; without it there are none.
    """

    def __init__(
        self,
        sessions: Sessions,
        client: Client,
        channel: Channel | None,
        settings: Settings,
        *,
        clock: Clock = wall_clock,
        every: timedelta = EVERY,
    ) -> None:
        self._sessions = sessions
        self._client = client
        self._channel = channel
        self._settings = settings
        self._clock = clock
        self._every = every
        self._asking = asyncio.Semaphore(_ASKED_AT_ONCE)

    async def run(self) -> None:
        """Look once a minute until cancelled. Not at once: after an outage much is late for a moment."""
        while True:
            await asyncio.sleep(self._every.total_seconds())
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the loop outlives whatever goes wrong in one look
                _log.warning("watch_failed", reason=type(error).__name__)

    async def look(self) -> bool:
        """Make a look, unless another process has just made one; whether it was made."""
        now = self._clock()
        async with self._sessions.begin() as session:
            # A little less than the time between two of them, which no process keeps to the millisecond.
            look = await findings.claim_look(session, now, every=self._every * 0.9)
        if look is None:
            return False
        search = Search(now, timedelta(minutes=self._settings.stuck_after_minutes))
        answers, found = await self._ask_temporal(look, search)
        async with self._sessions.begin() as session:
            found = _without_consequences([*await halts_in_database(session, search), *found])
            await findings.drop_moved(session, search)
            await findings.note_stuck(session, told_one_by_one(search, found))
        if answers:
            found += await self._check(now)
        async with self._sessions.begin() as session:
            await findings.note_halts(session, found, now)
            await findings.drop_moved(session, search)
        if self._channel is not None:
            namespace = self._client.namespace
            await send_alert(self._sessions, self._channel, self._settings, search, namespace=namespace)
        return True

    async def _ask_temporal(self, look: findings.Look, search: Search) -> tuple[bool, list[Halt]]:
        """See to what was ended from outside, and to how much waits for workers; whether Temporal answers."""
        try:
            await self._end_what_was_ended(look)
            waiting = await backlog(self._client, self._settings.task_queue)
        except _AWAY:
            is_long = look.heard_at < search.late
            return False, [Halt(HaltKind.TEMPORAL_AWAY, look.heard_at)] if is_long else []
        # Half of it: who waits here has waited before, for the timer or for the task before this one.
        if waiting.age <= search.tolerance / 2:
            return True, []
        return True, [Halt(HaltKind.WORKERS_BEHIND, look.now - waiting.age, waiting.tasks)]

    async def _end_what_was_ended(self, look: findings.Look) -> None:
        batch: list[UUID] = []
        async for enrollment_id in ended_from_outside(self._client, look.heard_at - _OVERLAP):
            batch.append(enrollment_id)
            if len(batch) == _REPAIRED_AT_ONCE:
                await self._repair_open(batch, look.now)
                batch = []
        await self._repair_open(batch, look.now)
        async with self._sessions.begin() as session:
            await findings.closed_seen(session, look.now)

    async def _repair_open(self, enrollment_ids: Sequence[UUID], now: datetime) -> None:
        query = select(Enrollment.id, Enrollment.workflow_id)
        query = query.where(Enrollment.id.in_(enrollment_ids), Enrollment.ended_at.is_(None))
        async with self._sessions() as session:
            still_open = [Suspect(*row) for row in await session.execute(query)]
        for one, found in await self._inspect_all(still_open):
            # Listed because it was ended; where the newest run says otherwise, it was reset and runs again.
            if found.whereabouts in {Whereabouts.CLOSED, Whereabouts.COMPLETED}:
                async with self._sessions.begin() as session:
                    await repair(session, one.enrollment_id, found, now)

    async def _check(self, now: datetime) -> list[Halt]:
        """Ask Temporal about those who are stuck, and mend what can be mended."""
        async with self._sessions() as session:
            asked = await findings.to_be_checked(session, now)
        try:
            inspected = await self._inspect_all(asked)
        except _AWAY:
            return []  # the next look will say so if it lasts
        begun = [found.whereabouts for one, found in inspected if one.begun]
        nobody = len(begun) >= MANY and set(begun) == {Whereabouts.UNKNOWN}
        for one, found in inspected:
            if not (nobody and one.begun):
                async with self._sessions.begin() as session:
                    done = await repair(session, one.enrollment_id, found, now)
                    await findings.note_checked(session, one.enrollment_id, found, now, lost=done is Repair.LOST)
        return [Halt(HaltKind.NOBODY_KNOWN, now, len(begun))] if nobody else []

    async def _inspect_all(self, asked: Sequence[Suspect]) -> list[tuple[Suspect, Inspection]]:
        return list(await asyncio.gather(*(self._inspect(one) for one in asked)))

    async def _inspect(self, one: Suspect) -> tuple[Suspect, Inspection]:
        async with self._asking:
            return one, await inspect(self._client, one.workflow_id, one.enrollment_id)


def _without_consequences(found: Sequence[Halt]) -> list[Halt]:
    """That workers are behind says nothing new where none moves anything."""
    if any(halt.kind is HaltKind.NOTHING_MOVES for halt in found):
        return [halt for halt in found if halt.kind is not HaltKind.WORKERS_BEHIND]
    return list(found)
