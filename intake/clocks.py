"""Keeping the clocks of entries: sleeps until the earliest is due, then has it ring or sets it anew.

What follows is an event, accepted in the transaction that stops the clock, and from there on the way of every event.
Any number of keepers may run. Walks through all contacts on behalf of an entry are in `intake.rounds`.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

import structlog
from pydantic import SecretStr
from sqlalchemy import func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import EventRepository, NewEvent
from crm.models.clock import EntryClock, EntryRound
from intake import broadcasts, dates, silence
from intake.failures import is_outage
from intake.recounting import count_on, open_since
from intake.rounds import walk_on
from intake.segment_clocks import look_again, next_look
from intake.walks import LiveEntry, Present, live_entry
from journeys.entries import Absence, Broadcast, DateEntry
from kit.clock import Clock, wall_clock
from kit.database import Sessions
from kit.notifications import Wakeups

CHANNEL = "entry_clocks"
SWEEP_SECONDS = 300.0
"""A look without having been woken. The trigger on the table tells what is due within ten minutes, so not longer."""
CLOCKS_AT_ONCE = 500
_LOCK_SECONDS = 1.0
"""Until the next look where another keeper has locked what is due: nobody tells when it is done, or dead."""
_PUT_OFF = timedelta(minutes=5)
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0

_log = structlog.get_logger(__name__)


class EntryClocks:
    """Keeps the clocks. `run` for a process, `drain` for whoever wants everything that is due done now.

    `default_zone` is the IANA zone of contacts without one. Who is let in by a walk is drawn into the control group of
    `control_group` percent, and not let in where the suppression list of `digest_key` speaks against it.
    """

    def __init__(
        self,
        sessions: Sessions,
        database_url: str,
        *,
        default_zone: str,
        clock: Clock = wall_clock,
        control_group: int = 0,
        digest_key: SecretStr | None = None,
    ) -> None:
        self._sessions = sessions
        self._database_url = database_url
        self._default_zone = default_zone
        self._clock = clock
        self._control_group = control_group
        self._digest_key = digest_key

    async def run(self) -> None:
        """Have clocks ring as they come due, until cancelled. Outages of the database are waited out."""
        pause = _FIRST_PAUSE
        async with Wakeups(self._database_url, [CHANNEL]) as wakeups:
            while True:
                try:
                    await self.drain()
                    rest = await self._rest()
                except Exception as error:  # noqa: BLE001 - the loop outlives whatever goes wrong in one turn
                    _log.warning("clocks_failed", reason=type(error).__name__, again_in_seconds=pause)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE)
                else:
                    pause = _FIRST_PAUSE
                    await wakeups.wait(CHANNEL, rest)

    async def drain(self, now: datetime | None = None) -> int:
        """Do everything that is due at `now` (aware; by default the present moment, anew for each part of the work).

        Returns how many clocks and contacts were looked at. Leaves out what other keepers have locked.
        """
        looked_at = 0
        while done := await self._turn(now):
            looked_at += done
        return looked_at

    async def _turn(self, now: datetime | None) -> int:
        rung, walked = await self._ring(now or self._clock()), await self._walk(now or self._clock())
        recounted = await count_on(self._sessions, now or self._clock())
        return rung + walked + recounted + await look_again(self._sessions, now or self._clock())

    async def _walk(self, now: datetime) -> int:
        return await walk_on(self._sessions, self._present(now))

    def _present(self, now: datetime) -> Present:
        return Present(now, self._default_zone, self._control_group, self._digest_key)

    async def _rest(self) -> float:
        """For how many seconds at most there is nothing to do."""
        async with self._sessions() as session:
            due = [
                await session.scalar(select(func.min(EntryClock.due_at))),
                await session.scalar(select(func.min(EntryRound.due_at)).where(EntryRound.finished_at.is_(None))),
                await open_since(session),
                await next_look(session),
            ]
        seconds = [(moment - self._clock()).total_seconds() for moment in due if moment is not None]
        rest = min(seconds, default=SWEEP_SECONDS)
        return min(rest, SWEEP_SECONDS) if rest > 0 else _LOCK_SECONDS

    async def _ring(self, now: datetime) -> int:
        """Take some due clocks, those overdue longest first; returns how many."""
        due = select(EntryClock).where(EntryClock.due_at <= now).order_by(EntryClock.due_at).limit(CLOCKS_AT_ONCE)
        async with self._sessions.begin() as session:
            clocks = (await session.scalars(due.with_for_update(skip_locked=True))).all()
            for journey_key, own in groupby(sorted(clocks, key=_place), attrgetter("journey_key")):
                await _ring_journey(session, journey_key, list(own), self._present(now))
        return len(clocks)


def _place(clock: EntryClock) -> tuple[str, datetime]:
    assert clock.due_at is not None
    return clock.journey_key, clock.due_at


async def _ring_journey(
    session: AsyncSession, journey_key: str, clocks: Sequence[EntryClock], present: Present
) -> None:
    """One journey's due clocks. Where that cannot be done they are put off, and those of other journeys go on."""
    keys = [(clock.journey_key, clock.contact_id) for clock in clocks]
    mine = tuple_(EntryClock.journey_key, EntryClock.contact_id).in_(keys)
    try:
        async with session.begin_nested():
            live = await live_entry(session, journey_key)
            fingerprint = live.timed.fingerprint if live is not None else None
            void = [clock for clock in clocks if clock.fingerprint != fingerprint]
            kept = [clock for clock in clocks if clock.fingerprint == fingerprint]
            for clock in void:
                await session.delete(clock)
            if live is not None and kept:
                await EventRepository(session).accept(await _rung(session, live, kept, present.of(live)))
            await session.flush()
    except Exception as error:
        if is_outage(error):
            raise
        _log.error("clocks_put_off", journey=journey_key, clocks=len(keys), reason=type(error).__name__)
        put_off = update(EntryClock).where(mine).values(due_at=present.now + _PUT_OFF)
        await session.execute(put_off.execution_options(synchronize_session=False))


async def _rung(
    session: AsyncSession, live: LiveEntry, clocks: Sequence[EntryClock], present: Present
) -> list[NewEvent]:
    """Have each of these due clocks ring, or set it anew, by what the live entry waits for."""
    match live.timed:
        case Absence() as absence:
            return await silence.ring(session, clocks, absence, present)
        case DateEntry() as entry:
            contacts = [clock.contact_id for clock in clocks]
            calendar = await dates.Calendar.of(session, contacts, entry, present.default_zone)
            return await dates.ring(session, clocks, calendar, version=live.version, now=present.now)
        case Broadcast() as broadcast:
            return await broadcasts.ring(session, clocks, broadcast, present)
        case _:
            return []
