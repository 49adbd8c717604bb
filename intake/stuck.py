"""Which enrollments are stuck: that should have gone on by now, and nothing they wait for will have them go on.

`kind_of` is the rule for one, `rows` and `groups` find them in the database along indexes that hold only what may be
stuck. A contact that waits for a time or an event is in none of them. What concerns everybody is in `intake.halts`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Subquery,
    Text,
    and_,
    case,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyRecord
from intake.models import OutboxEntry, StuckFinding
from journeys.outcomes import JourneyState

REASON_LENGTH = 120
"""Characters of a reason by which those with the same are counted together."""


class StuckKind(StrEnum):
    """Why an enrollment counts as stuck."""

    NEEDS_ATTENTION = "needs_attention"
    """Its step has failed for good; somebody has to look after it."""
    OVERDUE = "overdue"
    """The end of its wait has passed, or its action takes too long."""
    NOT_STARTED = "not_started"
    """It was let in and its journey has not begun."""
    WITHOUT_WORKFLOW = "without_workflow"
    """Temporal does not know it any more."""
    NOT_DELIVERED = "not_delivered"
    """What it is to be told cannot be delivered."""


REMEDIES = {
    StuckKind.NEEDS_ATTENTION: "Mend what the reason names, then retry the step; or skip it, or end the enrollment.",
    StuckKind.OVERDUE: "Look at it in the Temporal UI: an action that is tried again and again says why there.",
    StuckKind.NOT_STARTED: "Check that the roles relay and journeys run; where the reason names an action, "
    "mend what it needs. It goes on by itself.",
    StuckKind.WITHOUT_WORKFLOW: "End it (exit): nothing is left that could go on. The contact may then enter again.",
    StuckKind.NOT_DELIVERED: "Mend what the error names; it is tried again every minute by itself.",
}

_WITHOUT_TIME = (JourneyState.STARTING, JourneyState.RUNNING, JourneyState.NEEDS_ATTENTION)


@dataclass(frozen=True)
class Search:
    """What to look for. Instants are aware.

    Attributes:
        now: The present.
        tolerance: How late something may be before it is stuck.
        kinds: Only these.
        journey: Only of this journey.
        stuck_before: Only those who have been stuck since before this.
    """

    now: datetime
    tolerance: timedelta
    kinds: frozenset[StuckKind] = frozenset(StuckKind)
    journey: str | None = None
    stuck_before: datetime | None = None

    @property
    def before(self) -> datetime:
        """Only what has been stuck since before this is looked for."""
        return self.stuck_before or self.now

    @property
    def late(self) -> datetime:
        """What should have happened before this is late."""
        return self.now - self.tolerance


@dataclass(frozen=True)
class Stuck:
    """One enrollment that is stuck, since when (aware), and why as far as that is known."""

    enrollment_id: UUID
    journey_key: str
    version: int
    step: str | None
    kind: StuckKind
    since: datetime
    reason: str

    @property
    def remedy(self) -> str:
        """What to do, in a sentence."""
        return REMEDIES[self.kind]


@dataclass(frozen=True)
class StuckGroup:
    """How many are stuck for the same reason at the same step, and since when the first of them."""

    journey_key: str
    step: str | None
    kind: StuckKind
    reason: str
    count: int
    since: datetime

    @property
    def remedy(self) -> str:
        """What to do, in a sentence."""
        return REMEDIES[self.kind]


def kind_of(
    state: JourneyState, *, since: datetime, due_at: datetime | None, late: datetime, journey_paused: bool = False
) -> StuckKind | None:
    """Why an enrollment that stands so is stuck; None where it is not. What Temporal or the outbox knows is not asked.

    Args:
        state: What it does.
        since: Since when it stands at its step, aware.
        due_at: When its wait ends, aware.
        late: What should have happened before this is late.
        journey_paused: Whether its whole journey is being held.
    """
    match state:
        case JourneyState.NEEDS_ATTENTION:
            return StuckKind.NEEDS_ATTENTION
        case _ if journey_paused:
            return None
        case JourneyState.STARTING if since < late:
            return StuckKind.NOT_STARTED
        case JourneyState.RUNNING if since < late:
            return StuckKind.OVERDUE
        case JourneyState.WAITING if due_at is not None and due_at < late:
            return StuckKind.OVERDUE
        case _:
            return None


async def rows(
    session: AsyncSession, search: Search, *, after: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[Stuck]:
    """Those who are stuck, longest first, beginning behind `after` (since when, and the enrollment)."""
    return await _read(session, page_of(search, after=after, limit=limit))


async def not_noticed(session: AsyncSession, search: Search, *, limit: int) -> list[Stuck]:
    """Those who are stuck and of whom no finding says so yet, longest first."""
    return await _read(session, page_of(search, limit=limit, news=True))


def page_of(
    search: Search, *, after: tuple[datetime, UUID] | None = None, limit: int, news: bool = False
) -> Select[Any]:
    """The statement for a page; with `news` only of those of whom no finding says so yet."""
    parts = [part.where(_is_news(part)) if news else part for part in _parts(search)]
    found = _union(_page(part, after, limit) for part in parts)
    return select(found).order_by(found.c.since, found.c.id).limit(limit)


async def groups(session: AsyncSession, search: Search, *, limit: int = 50) -> list[StuckGroup]:
    """How many are stuck, by journey, step, kind and the beginning of the reason; the largest groups first."""
    found = _union(_parts(search))
    reason = func.left(found.c.reason, REASON_LENGTH).label("reason")
    same = (found.c.journey_key, found.c.step, found.c.kind, reason)
    count = func.count().label("number")
    query = select(*same, count, func.min(found.c.since).label("since")).group_by(*same)
    return [
        StuckGroup(row.journey_key, row.step, StuckKind(row.kind), row.reason, row.number, row.since)
        for row in await session.execute(query.order_by(count.desc(), found.c.journey_key, reason).limit(limit))
    ]


async def count(session: AsyncSession, search: Search, *, most: int) -> int:
    """How many are stuck; counting ends at `most`."""
    found = _union(_page(part, None, most) for part in _parts(search))
    some = select(found.c.id).limit(most).subquery()
    return int(await session.scalar(select(func.count()).select_from(some)) or 0)


async def _read(session: AsyncSession, query: Select[Any]) -> list[Stuck]:
    return [
        Stuck(row.id, row.journey_key, row.version, row.step, StuckKind(row.kind), row.since, row.reason)
        for row in await session.execute(query)
    ]


@dataclass(frozen=True)
class _Part:
    """One way to be stuck: the statement, and what it is ordered and told by."""

    query: Select[Any]
    since: ColumnElement[datetime]
    kind: ColumnElement[str]

    def where(self, *conditions: ColumnElement[bool]) -> "_Part":
        return replace(self, query=self.query.where(*conditions))


def _written(state: JourneyState) -> ColumnElement[str]:
    """A state as part of the statement: the planner must see it to know that a partial index will do."""
    return literal_column(f"'{state.value}'", Text())


_PARKED = Enrollment.state == _written(JourneyState.NEEDS_ATTENTION)
_HELD = exists().where(JourneyRecord.key == Enrollment.journey_key, JourneyRecord.paused_at.is_not(None))
_KIND: ColumnElement[str] = case(
    (StuckFinding.kind == StuckKind.WITHOUT_WORKFLOW, StuckKind.WITHOUT_WORKFLOW.value),
    (_PARKED, StuckKind.NEEDS_ATTENTION.value),
    (Enrollment.state == _written(JourneyState.STARTING), StuckKind.NOT_STARTED.value),
    else_=StuckKind.OVERDUE.value,
)
_KNOWN: ColumnElement[str] = func.coalesce(Enrollment.attention, func.nullif(StuckFinding.detail, ""), "")
_ERROR: ColumnElement[str] = func.split_part(func.coalesce(OutboxEntry.last_error, ""), ":", 1)
"""The kind of error only: its sentence names the workflow, by which nothing could be counted together."""


def _waiting_too_long(search: Search) -> ColumnElement[bool]:
    return and_(Enrollment.state == _written(JourneyState.WAITING), Enrollment.due_at < search.late, ~_HELD)


def _moving_too_long(search: Search) -> ColumnElement[bool]:
    moving = Enrollment.state.in_([_written(state) for state in _WITHOUT_TIME])
    return and_(moving, or_(_PARKED, and_(Enrollment.since < search.late, ~_HELD)))


def _parts(search: Search) -> list[_Part]:
    """Every way to be stuck, each along an index of its own. Nobody is in two of them."""
    otherwise = or_(_waiting_too_long(search), _moving_too_long(search))
    undelivered = literal(StuckKind.NOT_DELIVERED.value, Text())
    told = _part(search, OutboxEntry.created_at, undelivered, _ERROR)
    told = told.where(
        OutboxEntry.enrollment_id == Enrollment.id,
        OutboxEntry.attempts > literal_column("0", Integer()),
        OutboxEntry.created_at < search.late,
        func.coalesce(~otherwise, true()),
    )
    return [
        _part(search, Enrollment.due_at, _KIND, _KNOWN).where(_waiting_too_long(search)),
        _part(search, Enrollment.since, _KIND, _KNOWN).where(_moving_too_long(search)),
        told,
    ]


def _part(search: Search, since: Any, kind: ColumnElement[str], reason: ColumnElement[str]) -> _Part:
    columns = (Enrollment.id, Enrollment.journey_key, Enrollment.version, Enrollment.step)
    query = select(*columns, kind.label("kind"), since.label("since"), reason.label("reason"))
    query = query.outerjoin_from(Enrollment, StuckFinding, StuckFinding.enrollment_id == Enrollment.id)
    query = query.where(Enrollment.ended_at.is_(None))
    if search.journey is not None:
        query = query.where(Enrollment.journey_key == search.journey)
    if search.stuck_before is not None:
        query = query.where(since < search.stuck_before)
    if search.kinds != frozenset(StuckKind):
        query = query.where(kind.in_(sorted(search.kinds)))
    return _Part(query, since, kind)


def _is_news(part: _Part) -> ColumnElement[bool]:
    return or_(StuckFinding.subject.is_(None), StuckFinding.kind != part.kind)


def _page(part: _Part, after: tuple[datetime, UUID] | None, limit: int) -> _Part:
    query = part.query.order_by(part.since, Enrollment.id).limit(limit)
    if after is not None:
        query = query.where(tuple_(part.since, Enrollment.id) > tuple_(literal(after[0]), literal(after[1])))
    return replace(part, query=query)


def _union(parts: Iterable[_Part]) -> Subquery:
    return union_all(*(select(part.query.subquery()) for part in parts)).subquery()


def still_stuck(search: Search) -> ColumnElement[bool]:
    """Whether the enrollment of a finding is stuck still, in whatever way."""
    undelivered = exists().where(
        OutboxEntry.enrollment_id == Enrollment.id, OutboxEntry.attempts > 0, OutboxEntry.created_at < search.late
    )
    stuck = or_(_waiting_too_long(search), _moving_too_long(search), undelivered)
    return exists().where(Enrollment.id == StuckFinding.enrollment_id, Enrollment.ended_at.is_(None), stuck)
