"""Carrying out a move between versions for one enrollment, and noting what became of it. `intake.moves` orders it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.client import Client

from crm.journeys import plan_of
from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyVersion, VersionMove
from journeys.migration import Inside, Timers
from kit.clock import wall_clock
from workflows.messages import EXIT_REQUESTED, Delivery, compact_plan
from workflows.starter import DeliverResult, MigrateResult, deliver, migrate
from workflows.state import Migration


class MoveOrder(BaseModel, frozen=True):
    """Payload of an outbox entry that moves an enrollment: to which version, or out because of which."""

    move: int
    version: int
    inside: Inside
    mapping: dict[str, str] = {}
    timers: Timers = Timers.FOLLOW


@dataclass(frozen=True)
class Moved:
    """What became of one enrollment's move."""

    order: MoveOrder
    enrollment_id: UUID
    result: MigrateResult
    because: str = ""


async def carry_move(client: Client, enrollment: Enrollment, order: MoveOrder, version: JourneyVersion) -> Moved:
    """Have the enrollment moved. Repeating it changes nothing.

    Raises:
        Conflict: its worker is too old for the version.
        Unavailable: Temporal or its workers do not answer.
    """
    if enrollment.ended_at is not None:
        return Moved(order, enrollment.id, MigrateResult.GONE)
    if order.inside is Inside.STOP:
        return Moved(order, enrollment.id, await _stop(client, enrollment, order))
    plan = compact_plan(plan_of(version))
    migration = Migration(
        enrollment_id=enrollment.id, version=order.version, plan=plan, mapping=order.mapping, timers=order.timers
    )
    return Moved(order, enrollment.id, *await migrate(client, enrollment.workflow_id, migration))


async def _stop(client: Client, enrollment: Enrollment, order: MoveOrder) -> MigrateResult:
    delivery = Delivery(
        enrollment_id=enrollment.id,
        event_id=f"stop:{order.move}:{enrollment.id}",
        at=wall_clock(),
        criteria=[EXIT_REQUESTED],
        reason=f"stopped by version {order.version}",
    )
    told = await deliver(client, enrollment.workflow_id, delivery)
    return MigrateResult.GONE if told is DeliverResult.GONE else MigrateResult.MIGRATED


_COLUMNS = {
    MigrateResult.MIGRATED: VersionMove.moved,
    MigrateResult.NO_TARGET: VersionMove.refused,
    MigrateResult.GONE: VersionMove.gone,
}


async def note_moves(session: AsyncSession, moved: Sequence[Moved]) -> None:
    """Count what became of the moves, in the transaction that takes them out of the outbox: each counts once.

    An enrollment that could not be moved is on its way nowhere any more, and listens as its own version does.
    """
    by_move: dict[int, list[Moved]] = defaultdict(list)
    for one in moved:
        by_move[one.order.move].append(one)
    for move, ones in sorted(by_move.items()):
        await _count(session, move, ones)
        stays = [one.enrollment_id for one in ones if one.result is MigrateResult.NO_TARGET]
        if stays:
            mine = (Enrollment.id.in_(stays), Enrollment.moving_to == ones[0].order.version)
            await session.execute(update(Enrollment).where(*mine).values(moving_to=None))


async def _count(session: AsyncSession, move: int, ones: Sequence[Moved]) -> None:
    counted = Counter(one.result for one in ones)
    values: dict[str, Any] = {column.key: column + counted[result] for result, column in _COLUMNS.items()}
    refusals = [one.because for one in ones if one.result is MigrateResult.NO_TARGET]
    if refusals:
        values["last_refusal"] = refusals[-1]
    statement = update(VersionMove).where(VersionMove.id == move).values(**values)
    await session.execute(statement.execution_options(synchronize_session=False))
