"""Carrying out orders for many enrollments: page by page into the outbox, and from there to each of them.

A page is one transaction with the place it has come to. Who has gone on since it was found is not touched.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Select, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from crm.models.enrollment import Enrollment
from crm.models.steering import Steer, Steering
from crm.steering import inside
from intake.models import OutboxEntry, OutboxKind
from intake.vanished import Left
from journeys.resuming import Resuming
from kit.clock import wall_clock
from kit.errors import Conflict, NotFound
from workflows import starter
from workflows.messages import EXIT_REQUESTED, Command, Delivery, Place, Reschedule, Resume
from workflows.migration import ENDED_ALREADY
from workflows.starter import DeliverResult


class SteeringOrder(BaseModel, frozen=True):
    """Payload of an outbox entry that steers an enrollment. With a `place` only where it still stands there."""

    steering: int
    action: Steer
    by: str
    reason: str = ""
    timers: Resuming = Resuming.CATCH_UP
    place: Place | None = None


class SteerResult(StrEnum):
    """What became of one enrollment's order."""

    CARRIED = "carried"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True)
class Steered:
    """What became of one enrollment's order, and why where it was refused."""

    steering: int
    enrollment_id: UUID
    action: Steer
    result: SteerResult
    because: str = ""
    left: Left | None = None
    """Of an order to leave, where there was nobody to tell."""


async def oldest_order(session: AsyncSession) -> Steering | None:
    """The oldest order that is not ordered to its end and nobody else works on, locked."""
    found: Steering | None = await session.scalar(_oldest().with_for_update(of=Steering, skip_locked=True))
    return found


async def order_page(session: AsyncSession, order: Steering, size: int) -> None:
    """Order the next page of a locked order."""
    found = (await session.scalars(inside(order, size))).all()
    query = select(Enrollment).where(Enrollment.id.in_(found)).order_by(Enrollment.id).with_for_update(key_share=True)
    for enrollment in await session.scalars(query.execution_options(populate_existing=True)):
        _order(session, order, enrollment)
    if found:
        order.cursor, order.ordered = found[-1], order.ordered + len(found)
    if len(found) < size or order.ordered == order.most:
        order.ordered_at = func.clock_timestamp()


def _oldest() -> Select[tuple[Steering]]:
    """The oldest order. Those of one journey come one after the other: who is resumed has been paused before."""
    earlier = aliased(Steering)
    before = exists().where(
        earlier.journey_key == Steering.journey_key, earlier.id < Steering.id, earlier.ordered_at.is_(None)
    )
    return select(Steering).where(Steering.ordered_at.is_(None), ~before).order_by(Steering.id).limit(1)


def _order(session: AsyncSession, order: Steering, enrollment: Enrollment) -> None:
    here = None if order.step is None else Place(step=order.step, since=enrollment.since)
    written = SteeringOrder(
        steering=order.id,
        action=Steer(order.action),
        by=order.by,
        reason=order.reason,
        timers=Resuming(order.timers or Resuming.CATCH_UP),
        place=here,
    )
    if order.action == Steer.PAUSE:
        enrollment.paused_with = order.id
    payload = written.model_dump(mode="json")
    session.add(OutboxEntry(enrollment_id=enrollment.id, kind=OutboxKind.STEER, payload=payload))


async def carry_steering(client: Client, enrollment: Enrollment, order: SteeringOrder) -> Steered:
    """Have the enrollment steered. Repeating it changes nothing.

    Raises:
        Unavailable: Temporal or its workers do not answer.
    """
    told = partial(Steered, order.steering, enrollment.id, order.action)
    if enrollment.ended_at is not None:
        return told(SteerResult.GONE)
    if order.action is Steer.STOP:
        result = await _stop(client, enrollment, order)
        return told(result, left=_left(enrollment, order) if result is SteerResult.GONE else None)
    try:
        await _UPDATES[order.action](client, enrollment, order)
    except NotFound:
        return told(SteerResult.GONE, left=_left(enrollment, order) if order.action is Steer.EXIT else None)
    except Conflict as error:
        return told(_objected(error), error.message)
    return told(SteerResult.CARRIED)


def _objected(error: Conflict) -> SteerResult:
    cause = error.__cause__.cause if isinstance(error.__cause__, WorkflowUpdateFailedError) else None
    ended = isinstance(cause, ApplicationError) and cause.type == ENDED_ALREADY
    return SteerResult.GONE if ended else SteerResult.REFUSED


async def _stop(client: Client, enrollment: Enrollment, order: SteeringOrder) -> SteerResult:
    delivery = Delivery(
        enrollment_id=enrollment.id,
        event_id=f"steering:{order.steering}:{enrollment.id}",
        at=wall_clock(),
        criteria=[EXIT_REQUESTED],
        reason=f"journey stopped by {_said(order)}",
    )
    told = await starter.deliver(client, enrollment.workflow_id, delivery)
    return SteerResult.GONE if told is DeliverResult.GONE else SteerResult.CARRIED


def _left(enrollment: Enrollment, order: SteeringOrder) -> Left:
    return Left(enrollment.id, f"ended by {_said(order)}", order.by)


def _said(order: SteeringOrder) -> str:
    return f"{order.by}: {order.reason}" if order.reason else order.by


def _update(ask: Callable[..., Awaitable[Any]]) -> "_Update":
    async def carry(client: Client, enrollment: Enrollment, order: SteeringOrder) -> None:
        await ask(client, enrollment.workflow_id, _command(enrollment.id, order), request_id=_request_id(order))

    return carry


def _command(enrollment_id: UUID, order: SteeringOrder) -> Command:
    common: dict[str, Any] = {
        "by": order.by,
        "reason": order.reason,
        "enrollment_id": enrollment_id,
        "place": order.place,
    }
    if order.action is Steer.RESUME:
        return Resume(**common, timers=order.timers)
    if order.action is Steer.RELEASE:
        return Reschedule(**common, at=wall_clock())
    return Command(**common)


def _request_id(order: SteeringOrder) -> str:
    return f"steering:{order.steering}"


_Update = Callable[[Client, Enrollment, SteeringOrder], Awaitable[None]]
_UPDATES: Mapping[Steer, _Update] = {
    Steer.PAUSE: _update(starter.pause),
    Steer.RESUME: _update(starter.resume),
    Steer.RELEASE: _update(starter.reschedule),
    Steer.SKIP: _update(starter.skip),
    Steer.EXIT: _update(starter.end),
    Steer.RETRY: _update(starter.retry),
}

_COLUMNS = {
    SteerResult.CARRIED: Steering.carried,
    SteerResult.REFUSED: Steering.refused,
    SteerResult.GONE: Steering.gone,
}


async def note_steered(session: AsyncSession, steered: Sequence[Steered]) -> None:
    """Count what became of the orders, in the transaction that takes them out of the outbox: each counts once."""
    by_order: dict[int, list[Steered]] = defaultdict(list)
    for one in steered:
        by_order[one.steering].append(one)
    for number, ones in sorted(by_order.items()):
        counted = Counter(one.result for one in ones)
        values: dict[str, Any] = {column.key: column + counted[result] for result, column in _COLUMNS.items()}
        refusals = [one.because for one in ones if one.result is SteerResult.REFUSED]
        if refusals:
            values["last_refusal"] = refusals[-1]
        statement = update(Steering).where(Steering.id == number).values(**values)
        await session.execute(statement.execution_options(synchronize_session=False))
    await _release_resumed(session, steered)


async def _release_resumed(session: AsyncSession, steered: Sequence[Steered]) -> None:
    """Who has been told to go on is not frozen with its journey any more, unless that was paused again meanwhile."""
    for one in sorted((one for one in steered if one.action is Steer.RESUME), key=lambda one: one.enrollment_id):
        frozen = (Enrollment.id == one.enrollment_id, Enrollment.paused_with < one.steering)
        statement = update(Enrollment).where(*frozen).values(paused_with=None)
        await session.execute(statement.execution_options(synchronize_session=False))
