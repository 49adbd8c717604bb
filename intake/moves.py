"""Ordering moves between versions, and what operators order for many: page by page, each gets an entry in the outbox.

Any number of runners may run. A page is one transaction with the place it has come to, so a killed runner leaves
nothing half ordered and another goes on. The relay carries the orders out, per enrollment in order with all else.
"""

import asyncio
from dataclasses import replace
from enum import StrEnum
from uuid import UUID

import structlog
from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from crm.events import EventRepository
from crm.journeys import JourneyRepository, definition_of, plan_of
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyVersion, VersionMove
from intake.leaving import ground_of
from intake.matching import match, passage_of
from intake.models import OutboxEntry, OutboxKind
from intake.moving import MoveOrder
from intake.outbox import put_delivery
from intake.steering import oldest_order, order_page
from journeys.migration import Inside, Timers, new_criteria
from journeys.plan import Plan
from kit.clock import wall_clock
from kit.database import Sessions
from kit.notifications import Wakeups
from workflows.messages import EXIT_REQUESTED

CHANNEL = "version_moves"
SWEEP_SECONDS = 30.0
"""A look without having been woken: an insurance, not the way things work."""
PAGE = 100
MOST_WAITING = 200
"""Orders in the outbox at most: what else there is to tell Temporal does not queue behind a whole journey."""
_PAGED = (OutboxKind.MOVE, OutboxKind.STEER)
_FULL_SECONDS = 0.25
_AFTER_FAILURE_SECONDS = 5.0

_log = structlog.get_logger(__name__)


class Turn(StrEnum):
    """What a runner found: something to order, an outbox that holds enough or a journey that is busy, or nothing."""

    ORDERED = "ordered"
    FULL = "full"
    NOTHING = "nothing"


class MoveRunner:
    """Orders moves, but before them what operators have ordered (`intake.steering`), which may be urgent.

    `run` for a process, `order` for whoever wants as much as the outbox takes ordered now.
    """

    def __init__(
        self, sessions: Sessions, database_url: str, *, page: int = PAGE, most_waiting: int = MOST_WAITING
    ) -> None:
        self._sessions = sessions
        self._database_url = database_url
        self._page_size = page
        self._most_waiting = most_waiting

    async def run(self) -> None:
        """Order moves as they are asked for, until cancelled. Outages of the database are waited out."""
        async with Wakeups(self._database_url, [CHANNEL]) as wakeups:
            while True:
                try:
                    turn = await self.order()
                except Exception as error:  # noqa: BLE001 - the loop outlives whatever goes wrong in one turn
                    _log.warning("moves_failed", reason=type(error).__name__, again_in_seconds=_AFTER_FAILURE_SECONDS)
                    await asyncio.sleep(_AFTER_FAILURE_SECONDS)
                else:
                    await wakeups.wait(CHANNEL, _FULL_SECONDS if turn is Turn.FULL else SWEEP_SECONDS)

    async def order(self) -> Turn:
        """Order page after page until nothing is left to order, or the outbox holds enough."""
        while (turn := await self._page()) is Turn.ORDERED:
            pass
        return turn

    async def _page(self) -> Turn:
        async with self._sessions.begin() as session:
            waiting = select(func.count()).select_from(OutboxEntry).where(OutboxEntry.kind.in_(_PAGED))
            is_full = (await session.scalar(waiting) or 0) >= self._most_waiting
            order = await oldest_order(session)
            move = await session.scalar(_oldest().with_for_update(of=VersionMove, skip_locked=True))
            if order is None and move is None:
                return Turn.NOTHING
            if is_full:
                return Turn.FULL
            if order is not None:
                await order_page(session, order, self._page_size)
            elif move is not None:
                # Whoever stops the journey ends its moves: it must not wait for this one, which waits for contacts.
                if not await JourneyRepository(session).hold_if_free(move.journey_key):
                    return Turn.FULL
                await _order_page(session, move, self._page_size)
            return Turn.ORDERED


def _oldest() -> Select[tuple[VersionMove]]:
    """The oldest move to order. Those of one journey come one after the other: who moves on has arrived before."""
    earlier = aliased(VersionMove)
    before = exists().where(
        earlier.journey_key == VersionMove.journey_key, earlier.id < VersionMove.id, earlier.ordered_at.is_(None)
    )
    query = select(VersionMove).where(VersionMove.ordered_at.is_(None), ~before)
    return query.order_by(VersionMove.id).limit(1)


async def _order_page(session: AsyncSession, move: VersionMove, size: int) -> None:
    found = (await session.execute(_inside(move).limit(size))).all()
    # Intake matches events of a contact under the same lock: an event is matched before the order, or for both.
    lock = select(Contact.id).where(Contact.id.in_({contact_id for _, contact_id in found})).order_by(Contact.id)
    await session.execute(lock.with_for_update(key_share=True))
    still = select(Enrollment).where(Enrollment.id.in_([enrollment_id for enrollment_id, _ in found]))
    still = still.where(Enrollment.ended_at.is_(None), Enrollment.version != move.to_version).order_by(Enrollment.id)
    versions = await _versions(session, move.journey_key)
    for enrollment in (await session.scalars(still)).all():
        move.ordered += 1
        await _order(session, move, enrollment, versions)
    if found:
        move.cursor = found[-1].id
    if len(found) < size:
        move.ordered_at = func.clock_timestamp()


async def _versions(session: AsyncSession, journey: str) -> dict[int, JourneyVersion]:
    versions = await session.scalars(select(JourneyVersion).where(JourneyVersion.journey_key == journey))
    return {version.version: version for version in versions if version.published_at is not None}


def _inside(move: VersionMove) -> Select[tuple[UUID, UUID]]:
    """The next enrollments inside the version, or on their way into it, with their contacts."""
    query = select(Enrollment.id, Enrollment.contact_id).where(
        Enrollment.journey_key == move.journey_key,
        or_(Enrollment.version == move.from_version, Enrollment.moving_to == move.from_version),
        Enrollment.ended_at.is_(None),
    )
    if move.cursor is not None:
        query = query.where(Enrollment.id > move.cursor)
    return query.order_by(Enrollment.id)


async def _order(
    session: AsyncSession, move: VersionMove, enrollment: Enrollment, versions: dict[int, JourneyVersion]
) -> None:
    order = MoveOrder(
        move=move.id,
        version=move.to_version,
        inside=Inside(move.inside),
        mapping=move.mapping,
        timers=Timers(move.timers),
    )
    session.add(OutboxEntry(enrollment_id=enrollment.id, kind=OutboxKind.MOVE, payload=order.model_dump(mode="json")))
    if order.inside is Inside.MIGRATE:
        enrollment.moving_to = move.to_version
        old, new = versions[enrollment.version], versions[move.to_version]
        await _tell_past(session, enrollment, plan_of(old), plan_of(new))
        await _tell_exit(session, enrollment, old, new)


async def _tell_past(session: AsyncSession, enrollment: Enrollment, old: Plan, new: Plan) -> None:
    """Events since entry that meet criteria only the newer version has: they count as if it had always been there."""
    names = new_criteria(old, new)
    if not names:
        return
    passage = passage_of(enrollment, new)
    asked = {new.criteria[name].event for name in names}
    for event in await EventRepository(session).history(
        enrollment.contact_id, names=asked, since=enrollment.entered_at
    ):
        criteria = [name for name in match(event, passage).criteria if name in names]
        if criteria:
            put_delivery(
                session,
                enrollment.id,
                event_id=event.event_id,
                at=event.occurred_at,
                criteria=criteria,
                version=new.version,
            )


async def _tell_exit(session: AsyncSession, enrollment: Enrollment, old: JourneyVersion, new: JourneyVersion) -> None:
    """Whoever an exit condition holds for that only the newer version has leaves as soon as it has arrived there."""
    condition = definition_of(new).exit_when
    if condition is None or condition == definition_of(old).exit_when:
        return
    now = wall_clock()
    passage = replace(passage_of(enrollment, plan_of(new)), exit_when=condition)
    if ground := await ground_of(session, enrollment.id, passage, now):
        put_delivery(
            session,
            enrollment.id,
            event_id=f"exit-when:{enrollment.id}:{new.version}",
            at=now,
            criteria=(EXIT_REQUESTED,),
            reason=ground.reason,
            version=new.version,
            exit_at=ground.steps,
        )
