"""Orders for many enrollments at once: a whole journey paused, resumed or stopped, or those at a step steered.

An order is a row; `intake.steering` carries it out page by page.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.access import AuditRepository
from crm.clocks import ClockRepository
from crm.condition_sql import asked
from crm.journeys import JourneyRepository, definition_of, plan_of
from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyRecord, JourneyVersion, VersionMove, VersionState
from crm.models.steering import Steer, Steering
from journeys.conditions.registry import Condition
from journeys.migration import Inside
from journeys.outcomes import JourneyState
from journeys.resuming import Resuming
from journeys.segments import demand_askable
from kit.errors import Conflict, Invalid, Problem

_CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)
_AS_DOCUMENT: dict[str, Any] = {"mode": "json", "by_alias": True, "exclude_defaults": True}
_WAITING = (JourneyState.WAITING, JourneyState.PAUSED)


@dataclass(frozen=True)
class Operator:
    """Who steers (an opaque actor id) and why (for people)."""

    by: str
    reason: str = ""


@dataclass(frozen=True)
class AtStep:
    """Whom an order at a step is about: all who stand there, or those with an earlier due time (aware), or so many.

    `parked`: only those who need attention; `attention`: only those whose reason contains this.
    With `where` those whose contacts it holds for when they are looked for.
    """

    step: str
    due_before: datetime | None = None
    most: int | None = None
    parked: bool = False
    attention: str | None = None
    where: Condition | None = None

    def filters(self) -> dict[str, Any]:
        """The same as columns of an order.

        Raises:
            Invalid: `where` asks for what only an enrollment has.
        """
        if self.where is not None:
            demand_askable(self.where, root=("where",))
        condition = None if self.where is None else _CONDITION.dump_python(self.where, **_AS_DOCUMENT)
        return {
            "step": self.step,
            "due_before": self.due_before,
            "most": self.most,
            "parked": self.parked or self.attention is not None,
            "attention": self.attention,
            "condition": condition,
        }


@dataclass(frozen=True)
class Stopped:
    """What stopping a journey came to: the versions that took contacts, and the order to end those inside."""

    versions: list[int] = field(default_factory=list)
    inside: int = 0
    """Contacts inside at that moment."""
    steering: Steering | None = None


class SteeringRepository:
    """Gives orders, within the caller's transaction. Each is noted in the audit log."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._journeys = JourneyRepository(session)

    async def pause(self, key: str, operator: Operator) -> Steering:
        """Let nobody in, and freeze everybody inside. Who is frozen already stays so when the journey is resumed.

        Raises:
            NotFound: no such journey.
            Conflict: it is paused already.
        """
        journey = await self._locked(key)
        if journey.paused_at is not None:
            raise Conflict(f"Journey {key} is paused already.", remedy="There is nothing to pause.")
        steering = await self._order(key, Steer.PAUSE, operator)
        journey.paused_at, journey.paused_with = steering.created_at, steering.id
        return steering

    async def resume(self, key: str, operator: Operator, timers: Resuming) -> Steering:
        """Let contacts in again, and have everybody go on whom pausing the journey has frozen.

        Raises:
            NotFound: no such journey.
            Conflict: it is not paused.
        """
        journey = await self._locked(key)
        if journey.paused_at is None:
            raise Conflict(f"Journey {key} is not paused, so it cannot be resumed.", remedy="There is nothing to do.")
        journey.paused_at = journey.paused_with = None
        return await self._order(key, Steer.RESUME, operator, timers=timers)

    async def stop(self, key: str, operator: Operator, inside: Inside) -> Stopped:
        """Take no new contacts any more; those inside finish, or are ended.

        Raises:
            NotFound: no such journey.
            Conflict: there is nothing to stop, or those inside are frozen and could not finish.
        """
        journey = await self._locked(key)
        taking = [version for version in await self._journeys.versions(key) if version.state == VersionState.LIVE]
        within = [Enrollment.journey_key == key, Enrollment.ended_at.is_(None)]
        # Test runs are ended with the others, and are not told of where everybody may finish.
        within += [Enrollment.tested_draft.is_(None)] if inside is Inside.FINISH else []
        count = await self._count(*within)
        if not taking and not (inside is Inside.STOP and count):
            raise Conflict(f"No version of {key} takes contacts.", remedy="There is nothing to stop.")
        if inside is Inside.FINISH and journey.paused_at is not None:
            raise Conflict(f"Journey {key} is paused: nobody inside can finish.", remedy="Resume it, or stop them.")
        await self._close(key, taking)
        numbers = sorted(version.version for version in taking)
        if inside is Inside.FINISH:
            await self._note(key, "journey.stopped", operator, {"versions": numbers, "inside": inside.value})
            return Stopped(numbers, count)
        journey.paused_at = journey.paused_with = None
        await self._end_all(key)
        return Stopped(numbers, count, await self._order(key, Steer.STOP, operator, versions=numbers))

    async def steer(self, key: str, action: Steer, whom: AtStep, operator: Operator) -> Steering:
        """Release, skip, end or retry those at a step; only who needs attention can be retried.

        Raises:
            NotFound: no such journey.
            Invalid: no published version of it has such a step, or `where` cannot be asked of a set of contacts.
        """
        await self._demand_step(key, whom.step)
        return await self._order(key, action, operator, **whom.filters())

    async def count(self, key: str, action: Steer, whom: AtStep) -> int:
        """How many an order at a step would find now. Raises as `steer`."""
        await self._demand_step(key, whom.step)
        now = await self._session.scalar(select(func.clock_timestamp()))
        order = Steering(journey_key=key, action=action, created_at=now, **whom.filters())
        found = await self._count(*matching(order))
        return found if whom.most is None else min(found, whom.most)

    async def orders(self, key: str, *, before: int | None = None, limit: int = 20) -> list[Steering]:
        """The orders for a journey, newest first, beginning behind the one with the id `before`."""
        query = select(Steering).where(Steering.journey_key == key).order_by(Steering.id.desc()).limit(limit)
        if before is not None:
            query = query.where(Steering.id < before)
        return list(await self._session.scalars(query, execution_options={"populate_existing": True}))

    async def paused_since(self, key: str) -> datetime | None:
        """Since when the journey is paused; None where it is not."""
        since: datetime | None = await self._session.scalar(
            select(JourneyRecord.paused_at).where(JourneyRecord.key == key)
        )
        return since

    async def _locked(self, key: str) -> JourneyRecord:
        await self._journeys.lock(key)
        return await self._session.get_one(JourneyRecord, key, populate_existing=True)

    async def _count(self, *conditions: ColumnElement[bool]) -> int:
        return int(await self._session.scalar(select(func.count()).select_from(Enrollment).where(*conditions)) or 0)

    async def _close(self, key: str, taking: list[JourneyVersion]) -> None:
        """Turn the versions that take contacts to finishing, and clear the clocks of their entry."""
        entry = next((definition_of(version).entry for version in taking if version.share is None), None)
        for version in taking:
            await self._journeys.change(version, state=VersionState.FINISHING, share=None)
        if entry is not None:
            await ClockRepository(self._session).follow(key, before=entry, after=None)

    async def _end_all(self, key: str) -> None:
        """Versions with contacts inside are stopped; nobody else is moved between them."""
        held = JourneyVersion.state.in_([VersionState.FINISHING, VersionState.TEST])
        finishing = (JourneyVersion.journey_key == key, held)
        await self._session.execute(update(JourneyVersion).where(*finishing).values(state=VersionState.STOPPED))
        moving = (VersionMove.journey_key == key, VersionMove.ordered_at.is_(None))
        await self._session.execute(update(VersionMove).where(*moving).values(ordered_at=func.clock_timestamp()))

    async def _demand_step(self, key: str, step: str) -> None:
        versions = await self._journeys.demand_versions(key)
        plans = [plan_of(version) for version in versions if version.published_at is not None]
        if not any(step in plan.nodes for plan in plans):
            steps = sorted({name for plan in plans for name in plan.nodes})
            problem = Problem("step", f"The journey {key} has no step '{step}'.", f"Its steps are {', '.join(steps)}.")
            raise Invalid(problem.what, problems=[problem], remedy=problem.remedy)

    async def _order(
        self, key: str, action: Steer, operator: Operator, versions: list[int] | None = None, **values: Any
    ) -> Steering:
        steering = Steering(journey_key=key, action=action, by=operator.by, reason=operator.reason, **values)
        self._session.add(steering)
        await self._session.flush()
        await self._session.refresh(steering)
        told = {name: str(value) for name, value in values.items() if value is not None and value is not False}
        details = {"order": steering.id, **told, **({"versions": versions} if versions is not None else {})}
        await self._note(key, _AUDITED.get(action, f"step.{action}"), operator, details)
        return steering

    async def _note(self, key: str, action: str, operator: Operator, details: dict[str, Any]) -> None:
        whole = {**details, "reason": operator.reason}
        await AuditRepository(self._session).record(operator.by, action, f"journey:{key}", whole)


_AUDITED = {Steer.PAUSE: "journey.paused", Steer.RESUME: "journey.resumed", Steer.STOP: "journey.stopped"}


def matching(order: Steering) -> list[ColumnElement[bool]]:
    """What is true of the enrollments an order is about."""
    conditions = [Enrollment.journey_key == order.journey_key, Enrollment.ended_at.is_(None)]
    if order.action == Steer.PAUSE:
        # Who is still frozen with the journey is about to go on, by an order that has not reached it yet.
        conditions.append(or_(Enrollment.state != JourneyState.PAUSED, Enrollment.paused_with.is_not(None)))
    elif order.action == Steer.RESUME:
        conditions.append(Enrollment.paused_with.is_not(None))
    elif order.action == Steer.RELEASE:
        conditions += [Enrollment.state.in_(_WAITING), Enrollment.due_at.is_not(None)]
    if order.parked or order.action == Steer.RETRY:
        conditions.append(Enrollment.state == JourneyState.NEEDS_ATTENTION)
    if order.attention is not None:
        conditions.append(Enrollment.attention.contains(order.attention, autoescape=True))
    if order.step is not None:
        # A step of a draft is another one. The brakes, which ask for no step, hold test runs too.
        conditions += [Enrollment.step == order.step, Enrollment.tested_draft.is_(None)]
    if order.due_before is not None:
        conditions.append(Enrollment.due_at < order.due_before)
    if order.condition is not None:
        meant = asked(_CONDITION.validate_python(order.condition), order.created_at)
        conditions.append(Enrollment.contact_id.in_(meant.members()))
    return conditions


def inside(order: Steering, size: int) -> Select[tuple[UUID]]:
    """The next enrollments an order is about, at most so many of them, in the order of their making."""
    query = select(Enrollment.id).where(*matching(order))
    if order.cursor is not None:
        query = query.where(Enrollment.id > order.cursor)
    left = size if order.most is None else min(size, order.most - (order.ordered or 0))
    return query.order_by(Enrollment.id).limit(max(left, 0))
