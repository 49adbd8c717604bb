"""What is stuck for everybody at once: a part of the installation that does not work, told as one finding.

A backlog is not a thousand stuck contacts: while nothing moves at all, or workers are behind, those who are late are
counted here and not listed one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Integer, Select, exists, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from crm.models.clock import EntryClock
from crm.models.enrollment import DecisionRecord
from crm.models.event import QueuedEvent
from crm.models.journey import VersionMove
from crm.models.steering import Steering
from intake import stuck
from intake.models import IntakeFailure, OutboxEntry, OutboxKind, StuckFinding, StuckWatch
from intake.stuck import Search, StuckKind

MANY = 10
"""So many late at once, and nobody moved: then it is not they that are stuck."""
COUNTED_AT_MOST = 10_000
UNWATCHED_AFTER = timedelta(minutes=5)
LATE_KINDS = frozenset({StuckKind.OVERDUE, StuckKind.NOT_STARTED})
"""What everybody is who waits for a worker."""


class HaltKind(StrEnum):
    """Which part of the installation does not work."""

    NOTHING_MOVES = "nothing_moves"
    WORKERS_BEHIND = "workers_behind"
    TEMPORAL_AWAY = "temporal_away"
    NOBODY_KNOWN = "nobody_known"
    OUTBOX_WAITS = "outbox_waits"
    EVENTS_WAIT = "events_wait"
    EVENTS_SET_ASIDE = "events_set_aside"
    CLOCKS_WAIT = "clocks_wait"
    ORDERS_WAIT = "orders_wait"
    MOVES_WAIT = "moves_wait"
    UNWATCHED = "unwatched"


SENTENCES = {
    HaltKind.NOTHING_MOVES: "No worker has moved anything since then, and {count} enrollments should have gone on. "
    "Check that a worker with the role journeys runs and reaches Temporal and PostgreSQL.",
    HaltKind.WORKERS_BEHIND: "Workers are behind: {count} tasks wait for one. Start more workers with the role "
    "journeys, or wait: those who are late go on in their turn.",
    HaltKind.TEMPORAL_AWAY: "Temporal does not answer. Check its address and that it runs; nothing is lost meanwhile.",
    HaltKind.NOBODY_KNOWN: "Temporal knows none of {count} enrollments it was asked about. Check that TEMPORAL_ADDRESS "
    "and TEMPORAL_NAMESPACE are those the journeys were started in. Nothing was changed.",
    HaltKind.OUTBOX_WAITS: "What Temporal is to be told waits: {count} entries of the outbox. Check that a worker with "
    "the role relay runs and reaches Temporal.",
    HaltKind.EVENTS_WAIT: "Accepted events are not applied: {count} wait. Check that a worker with the role "
    "intake runs.",
    HaltKind.EVENTS_SET_ASIDE: "{count} events could not be applied and were set aside. `dauerlauf events failures` "
    "tells why, `dauerlauf events retry` applies them after the repair.",
    HaltKind.CLOCKS_WAIT: "Entries by time do not begin: {count} clocks are late. Check that a worker with the role "
    "clocks runs.",
    HaltKind.ORDERS_WAIT: "What was ordered for many at once is not begun: {count} orders. Check that a worker with "
    "the role relay runs.",
    HaltKind.MOVES_WAIT: "Moves between versions are not begun: {count}. Check that a worker with the role relay runs.",
    HaltKind.UNWATCHED: "No worker has looked for what is stuck since then. Check that a worker of any role runs.",
}

_ASKED_OF_TEMPORAL = frozenset({HaltKind.WORKERS_BEHIND, HaltKind.TEMPORAL_AWAY, HaltKind.NOBODY_KNOWN})
"""Only the watch can find these; whoever else asks reads what it has found."""


@dataclass(frozen=True)
class Halt:
    """One part that does not work, since when (aware; None where never known), and how much waits for it."""

    kind: HaltKind
    since: datetime | None
    count: int = 0

    @property
    def sentence(self) -> str:
        """What is wrong, and what to do."""
        number = f"{self.count:,}" + (" or more" if self.count >= COUNTED_AT_MOST else "")
        return SENTENCES[self.kind].format(count=number)

    @property
    def excuses(self) -> bool:
        """Whether it is the reason why many are late, so that they are not told one by one."""
        return self.kind in {HaltKind.NOTHING_MOVES, HaltKind.WORKERS_BEHIND, HaltKind.TEMPORAL_AWAY}


async def halts(session: AsyncSession, search: Search) -> list[Halt]:
    """Everything that does not work now; of what only Temporal can tell, what the watch has found last."""
    found = [*await halts_in_database(session, search), await _unwatched(session, search)]
    noted = select(StuckFinding).where(StuckFinding.subject.in_(sorted(_ASKED_OF_TEMPORAL)))
    remembered = [Halt(HaltKind(row.kind), row.since, int(row.detail or 0)) for row in await session.scalars(noted)]
    return [halt for halt in found if halt is not None] + remembered


async def halts_in_database(session: AsyncSession, search: Search) -> list[Halt]:
    """What PostgreSQL alone tells. Of each queue the oldest is read, and what waits is counted where that is late."""
    nothing = await _nothing_moves(session, search)
    queues = [await _waits(session, queue, search) for queue in _QUEUES]
    return [halt for halt in (nothing, *queues) if halt is not None]


async def _nothing_moves(session: AsyncSession, search: Search) -> Halt | None:
    late = Search(search.now, search.tolerance, LATE_KINDS)
    if await stuck.count(session, late, most=MANY) < MANY:
        return None
    newest = select(DecisionRecord.recorded_at).order_by(DecisionRecord.id.desc()).limit(1)
    moved_at: datetime | None = await session.scalar(newest)
    if moved_at is not None and moved_at >= search.late:
        return None
    return Halt(HaltKind.NOTHING_MOVES, moved_at, await stuck.count(session, late, most=COUNTED_AT_MOST))


@dataclass(frozen=True)
class _Queue:
    """Where something waits: since when each has waited, and the order in which the oldest is found at once."""

    kind: HaltKind
    waiting: Select[Any]
    since: InstrumentedAttribute[Any]
    order: InstrumentedAttribute[Any]
    at_once: bool = False
    """Whether it is told without any tolerance."""


def _untried() -> Select[tuple[OutboxEntry]]:
    """Entries that nobody has tried to carry, though nothing of their enrollment is before them."""
    earlier = aliased(OutboxEntry)
    before = select(earlier.id).where(earlier.enrollment_id == OutboxEntry.enrollment_id, earlier.id < OutboxEntry.id)
    return select(OutboxEntry).where(OutboxEntry.attempts == literal_column("0", Integer()), ~before.exists())


def _untouched(order: type[Steering] | type[VersionMove]) -> Select[Any]:
    """Orders that nobody makes entries of: they are begun in turn, and wait while the outbox holds enough of them."""
    begun = exists().where(OutboxEntry.kind.in_([OutboxKind.MOVE, OutboxKind.STEER]))
    return select(order).where(order.ordered_at.is_(None), ~begun)


_QUEUES = (
    _Queue(HaltKind.ORDERS_WAIT, _untouched(Steering), Steering.created_at, Steering.id),
    _Queue(HaltKind.MOVES_WAIT, _untouched(VersionMove), VersionMove.created_at, VersionMove.id),
    _Queue(HaltKind.OUTBOX_WAITS, _untried(), OutboxEntry.created_at, OutboxEntry.id),
    _Queue(HaltKind.EVENTS_WAIT, select(QueuedEvent), QueuedEvent.received_at, QueuedEvent.sequence),
    _Queue(
        HaltKind.EVENTS_SET_ASIDE,
        select(IntakeFailure),
        IntakeFailure.failed_at,
        IntakeFailure.failed_at,
        at_once=True,
    ),
    _Queue(
        HaltKind.CLOCKS_WAIT,
        select(EntryClock).where(EntryClock.due_at.is_not(None)),
        EntryClock.due_at,
        EntryClock.due_at,
    ),
)


async def _waits(session: AsyncSession, queue: _Queue, search: Search) -> Halt | None:
    """The halt that follows from the oldest of what waits, where that has waited for too long."""
    late = search.now if queue.at_once else search.late
    first = queue.waiting.with_only_columns(queue.since).order_by(queue.order).limit(1)
    oldest: datetime | None = await session.scalar(first)
    if oldest is None or oldest >= late:
        return None
    some = queue.waiting.with_only_columns(queue.since).where(queue.since < late).limit(COUNTED_AT_MOST).subquery()
    return Halt(queue.kind, oldest, int(await session.scalar(select(func.count()).select_from(some)) or 0))


async def _unwatched(session: AsyncSession, search: Search) -> Halt | None:
    looked_at: datetime | None = await session.scalar(select(StuckWatch.looked_at))
    if looked_at is not None and looked_at >= search.now - UNWATCHED_AFTER:
        return None
    return Halt(HaltKind.UNWATCHED, looked_at)


def told_one_by_one(search: Search, found: Sequence[Halt]) -> Search:
    """The search without those who are late only because something does not work for everybody."""
    if not any(halt.excuses for halt in found):
        return search
    return replace(search, kinds=search.kinds - LATE_KINDS)
