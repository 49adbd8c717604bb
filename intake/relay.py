"""The relay: carries the outbox to Temporal, at least once; starts and deliveries are idempotent, so once in effect.

Any number of relays may run. Entries of one enrollment leave in order, those of different ones side by side. With
Temporal away everything stays, and leaves by itself once it is back.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from temporalio.client import Client, WorkflowUpdateRPCTimeoutOrCancelledError

from crm.journeys import plan_of
from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyVersion
from intake.errands import Errand, Hitch, claim_errands, seconds_until_due, settle
from intake.models import OutboxEntry, OutboxKind
from intake.moving import Moved, MoveOrder, carry_move, note_moves
from intake.steering import Steered, SteeringOrder, carry_steering, note_steered
from intake.vanished import Left, end_left
from journeys.outcomes import JourneyState
from journeys.steps.start import START_REQUESTED
from kit.clock import wall_clock
from kit.database import Sessions
from kit.errors import Unavailable
from kit.notifications import Wakeups
from workflows.messages import EXIT_REQUESTED, Delivery, JourneyRun, compact_plan
from workflows.starter import DeliverResult, WorkflowFailing, deliver, start_journey

CHANNEL = "outbox"
SWEEP_SECONDS = 30.0
"""A look without having been woken: an insurance, not the way things work."""
ENROLLMENTS_AT_ONCE = 250
CALLS_AT_ONCE = 50
_LOCK_SECONDS = 1.0
"""Until the next look where another relay has locked what is due: nobody tells when it is done, or dead."""
_FIRST_PAUSE = timedelta(seconds=0.25)
_LONGEST_OUTAGE_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=1)

_log = structlog.get_logger(__name__)


@dataclass
class _Round:
    """What one round did. `away`: Temporal did not answer; errands not begun by then are left as they are."""

    done: list[int] = field(default_factory=list)
    hitches: list[Hitch] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    steered: list[Steered] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    away: bool = False

    def note(self, outcome: Moved | Steered | Left | None) -> None:
        """What became of an entry that was carried."""
        if isinstance(outcome, Moved):
            self.moved.append(outcome)
        elif isinstance(outcome, Steered):
            self.steered.append(outcome)
            self.left += [outcome.left] if outcome.left is not None else []
        elif isinstance(outcome, Left):
            self.left.append(outcome)


class Relay:
    """Carries the outbox to Temporal. `run` for a process, `drain` for whoever wants everything told now."""

    def __init__(self, sessions: Sessions, client: Client, task_queue: str, database_url: str) -> None:
        self._sessions = sessions
        self._client = client
        self._task_queue = task_queue
        self._database_url = database_url
        self._calls = asyncio.Semaphore(CALLS_AT_ONCE)

    async def run(self) -> None:
        """Carry entries as they come, until cancelled. Outages of Temporal and of the database are waited out."""
        failures = 0
        async with Wakeups(self._database_url, [CHANNEL]) as wakeups:
            while True:
                try:
                    rest = await self._turn(probing=failures > 0)
                except Exception as error:  # noqa: BLE001 - the loop outlives whatever goes wrong in one turn
                    pause = _pause(failures, _LONGEST_OUTAGE_PAUSE).total_seconds()
                    _log.warning("relay_failed", reason=type(error).__name__, again_in_seconds=pause)
                    failures += 1
                    # Not to be woken: every event that comes in meanwhile would knock at a closed door.
                    await asyncio.sleep(pause)
                else:
                    failures = 0
                    await wakeups.wait(CHANNEL, rest)

    async def drain(self) -> int:
        """Carry everything, also what was to be tried later; returns how many entries were carried or dropped.

        Ends where nothing more can be carried. Leaves out what other relays have locked.
        """
        carried = 0
        while done := (await self._round(only_due=False)).done:
            carried += len(done)
        return carried

    async def _turn(self, *, probing: bool) -> float:
        """Carry what is due; returns for how many seconds at most there is nothing to do.

        Raises:
            Unavailable: Temporal does not answer.
        """
        limit = 1 if probing else ENROLLMENTS_AT_ONCE
        while True:
            turn = await self._round(limit=limit)
            if turn.away:
                raise Unavailable("Temporal does not answer.")
            if not turn.done:
                break
            limit = ENROLLMENTS_AT_ONCE
        async with self._sessions() as session:
            seconds = await seconds_until_due(session)
        if seconds is None:
            return SWEEP_SECONDS
        return min(seconds, SWEEP_SECONDS) if seconds > 0 else _LOCK_SECONDS

    async def _round(self, *, limit: int = ENROLLMENTS_AT_ONCE, only_due: bool = True) -> _Round:
        """Claim, carry, note the outcome, in one transaction: a relay that dies has its claims released."""
        turn = _Round()
        async with self._sessions.begin() as session:
            errands = await claim_errands(session, enrollments=limit, only_due=only_due)
            await asyncio.gather(*(self._carry_all(errand, turn) for errand in errands))
            await settle(session, turn.done, turn.hitches)
            await note_moves(session, turn.moved)
            await note_steered(session, turn.steered)
            await end_left(session, turn.left, wall_clock())
        return turn

    async def _carry_all(self, errand: Errand, turn: _Round) -> None:
        """Carry an enrollment's entries in order, up to the first that cannot be carried now."""
        async with self._calls:
            for entry in errand.entries:
                if turn.away:
                    return
                try:
                    outcome = await self._carry(errand, entry)
                except Exception as error:  # noqa: BLE001 - whatever it is, it holds up this enrollment alone
                    turn.away = turn.away or _is_away(error)
                    turn.hitches.append(_hitch(entry, error))
                    return
                turn.done.append(entry.id)
                turn.note(outcome)

    async def _carry(self, errand: Errand, entry: OutboxEntry) -> Moved | Steered | Left | None:
        enrollment = errand.enrollment
        if entry.kind == OutboxKind.START and enrollment.state == JourneyState.STARTING:
            await self._start(errand)
        elif entry.kind == OutboxKind.DELIVER and enrollment.ended_at is None:
            return await self._deliver(enrollment, Delivery.model_validate(entry.payload))
        elif entry.kind == OutboxKind.MOVE:
            order = MoveOrder.model_validate(entry.payload)
            return await carry_move(self._client, enrollment, order, errand.versions[order.version])
        elif entry.kind == OutboxKind.STEER:
            return await carry_steering(self._client, enrollment, SteeringOrder.model_validate(entry.payload))
        return None

    async def _deliver(self, enrollment: Enrollment, delivery: Delivery) -> Left | None:
        if await deliver(self._client, enrollment.workflow_id, delivery) is DeliverResult.DELIVERED:
            return None
        _log.info("delivery_came_after_the_end", enrollment=str(enrollment.id), event_id=delivery.event_id)
        leaves = EXIT_REQUESTED in delivery.criteria and delivery.exit_at is None
        return Left(enrollment.id, delivery.reason) if leaves else None

    async def _start(self, errand: Errand) -> None:
        enrollment = errand.enrollment
        version = errand.versions[enrollment.version]
        plan = plan_of(version)
        run = JourneyRun(
            enrollment_id=enrollment.id,
            contact_id=enrollment.contact_id,
            plan=compact_plan(plan),
            entered_at=enrollment.entered_at,
            entry_event_id=enrollment.entry_event_id,
            entry_event=_entry_event(enrollment, version),
        )
        await start_journey(self._client, run, plan, workflow_id=enrollment.workflow_id, task_queue=self._task_queue)


def _entry_event(enrollment: Enrollment, version: JourneyVersion) -> str | None:
    """Name of the event it began with: that of the journey's entry, unless another journey has started it."""
    if enrollment.entry_event_id is None:
        return None
    return START_REQUESTED if enrollment.entry_event_id.startswith(f"{START_REQUESTED}:") else version.entry_event


def _is_away(error: Exception) -> bool:
    """Whether Temporal itself did not answer.

    A workflow id that is still taken concerns one enrollment only, as does a workflow whose task fails; an update that
    no worker answers those with moves.
    """
    if isinstance(error, WorkflowFailing):
        return False
    if isinstance(error, Unavailable):
        cause = error.__cause__
        return cause is not None and not isinstance(cause, WorkflowUpdateRPCTimeoutOrCancelledError)
    # A lazy client that cannot connect says so with a bare RuntimeError.
    return isinstance(error, RuntimeError | OSError)


def _hitch(entry: OutboxEntry, error: Exception) -> Hitch:
    longest = _LONGEST_OUTAGE_PAUSE if isinstance(error, Unavailable) or _is_away(error) else _LONGEST_PAUSE
    if longest is _LONGEST_PAUSE:
        enrollment = str(entry.enrollment_id)
        _log.error("entry_not_carried", enrollment=enrollment, reason=type(error).__name__, attempts=entry.attempts + 1)
    return Hitch(entry.id, f"{type(error).__name__}: {error}"[:500], _pause(entry.attempts, longest))


def _pause(failures: int, longest: timedelta) -> timedelta:
    """Doubling from a quarter second on, `longest` at most."""
    return min(_FIRST_PAUSE * 2.0 ** min(failures, 16), longest)
