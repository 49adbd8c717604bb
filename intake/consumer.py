"""The loop of intake: claims contacts with waiting events, has their events applied, sleeps until woken.

Any number of consumers may run, in one process or many. One transaction holds the claim, all effects and the removal
from the queue, so a killed consumer leaves nothing half done.
"""

import asyncio

import structlog
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from intake import claims
from intake.apply import apply_events
from intake.claims import EVENTS_AT_ONCE, Claim
from intake.failures import is_outage, reason_of, set_aside
from kit.clock import Clock, wall_clock
from kit.database import Sessions
from kit.notifications import Wakeups

CHANNEL = "intake_queue"
SWEEP_SECONDS = 30.0
"""A look without having been woken: an insurance, not the way things work."""
_LOCK_SECONDS = 0.1
"""Until the next look where all that waits belongs to contacts others have locked: nobody tells when they are done."""
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0

_log = structlog.get_logger(__name__)


class IntakeConsumer:
    """Applies accepted events. `run` for a process, `drain` for whoever wants everything applied now.

    `control_group` is the percent of all contacts who get no marketing message: who enters a journey is drawn into it.
    `digest_key` is that of the suppression list, which is not asked without it.
    """

    def __init__(
        self,
        sessions: Sessions,
        database_url: str,
        clock: Clock = wall_clock,
        *,
        control_group: int = 0,
        digest_key: SecretStr | None = None,
    ) -> None:
        self._sessions = sessions
        self._database_url = database_url
        self._clock = clock
        self._control_group = control_group
        self._digest_key = digest_key

    async def run(self) -> None:
        """Apply events as they come, until cancelled. Outages of the database are waited out."""
        pause = _FIRST_PAUSE
        async with Wakeups(self._database_url, [CHANNEL]) as wakeups:
            while True:
                try:
                    rest = await self._turn()
                except Exception as error:  # noqa: BLE001 - the loop outlives whatever goes wrong in one turn
                    _log.warning("intake_failed", reason=type(error).__name__, again_in_seconds=pause)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE)
                else:
                    pause = _FIRST_PAUSE
                    await wakeups.wait(CHANNEL, rest)

    async def drain(self) -> int:
        """Apply everything that waits, what follows from it included; returns how many events were taken.

        Leaves out contacts that others have locked. Raises what the database raises while it is away.
        """
        taken = 0
        while (more := await self._take_some()) is not None:
            taken += more
        return taken

    async def _turn(self) -> float:
        """Drain; returns for how many seconds at most there is nothing to do."""
        taken = await self.drain()
        async with self._sessions.begin() as session:
            if not await claims.is_anything_waiting(session):
                return SWEEP_SECONDS
            if not taken and (dropped := await claims.drop_orphans(session)):
                _log.warning("events_of_erased_contacts_dropped", count=dropped)
        return _LOCK_SECONDS

    async def _take_some(self) -> int | None:
        """Apply what waits for some contacts; None where no contact with waiting events is free."""
        claim = Claim()
        try:
            async with self._sessions.begin() as session:
                claim = await claims.claim_contacts(session)
                return await self._apply(session, claim) if claim.contact_ids else None
        except Exception as error:
            if is_outage(error) or not claim.contact_ids:
                raise
            _log.warning("intake_batch_failed", reason=type(error).__name__, contacts=len(claim.contact_ids))
        return sum([await self._take_contact(Claim((one,), claim.up_to)) for one in claim.contact_ids])

    async def _take_contact(self, claim: Claim) -> int:
        """One contact's events on their own, since one of those taken together cannot be applied."""
        try:
            async with self._sessions.begin() as session:
                claimed = await claims.claim_contact(session, *claim.contact_ids)
                return await self._apply(session, claim) if claimed else 0
        except Exception as error:
            if is_outage(error):
                raise
        taken = 0
        while await self._take_event(claim):
            taken += 1
        return taken

    async def _take_event(self, claim: Claim) -> bool:
        """The contact's oldest event alone; set aside where it cannot be applied. False where there is none to take."""
        sequence = None
        try:
            async with self._sessions.begin() as session:
                if not await claims.claim_contact(session, *claim.contact_ids):
                    return False
                events = await claims.waiting_events(session, claim, limit=1)
                sequence = events[0].sequence if events else None
                return bool(await self._apply(session, claim, limit=1))
        except Exception as error:
            if is_outage(error) or sequence is None:
                raise
            return await self._set_aside(claim, sequence, reason_of(error))

    async def _set_aside(self, claim: Claim, sequence: int, reason: str) -> bool:
        async with self._sessions.begin() as session:
            if not await claims.claim_contact(session, *claim.contact_ids):
                return False
            events = await claims.waiting_events(session, claim, limit=1)
            # Another consumer may have taken it meanwhile.
            if [event.sequence for event in events] == [sequence]:
                await set_aside(session, events[0], reason)
                _log.error("event_set_aside", sequence=sequence, reason=reason.partition(":")[0])
        return True

    async def _apply(self, session: AsyncSession, claim: Claim, *, limit: int = EVENTS_AT_ONCE) -> int:
        events = await claims.waiting_events(session, claim, limit=limit)
        if events:
            await apply_events(
                session, events, self._clock(), control_group=self._control_group, digest_key=self._digest_key
            )
            await claims.take_out(session, events)
        return len(events)
