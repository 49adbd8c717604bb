"""Segments as stored: their definitions, who is in them, and setting that right in one statement.

Membership follows events (`intake.segments`), the time (`intake.segment_clocks`) and definitions (`define`). What a
condition says of a set is in `crm.condition_sql`. Whoever writes membership of single contacts holds their locks, and
`hold`; a change of definitions keeps all of them out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.condition_sql import asked
from crm.events import DERIVED, EventRepository, NewEvent
from crm.models.contact import Contact
from crm.models.segment import SegmentMember, SegmentRecord
from crm.scoring import ScoringRepository
from crm.segment_statement import Cause, PreparedChanges, changes_of
from journeys.conditions.registry import Condition
from journeys.documents import from_document, to_document
from journeys.segment_entry import ENTERED, LEFT
from journeys.segments import Backfill, Segment, demand_askable, demand_known, in_order
from kit.errors import Conflict, NotFound

_CHANGES_OR_FOLLOWS = 4_711_005
"""Key of the advisory lock: shared by whoever follows the definitions, alone for whoever changes one."""
# Planning the statement of a segment takes longer than carrying it out for a contact or some hundred, and its plan is
# the same for each: along the keys. Left to itself PostgreSQL makes it anew for each event and compares. What else the
# transaction asks is asked by key, too.
_HOLD = text("SELECT pg_advisory_xact_lock_shared(:key), set_config('plan_cache_mode', 'force_generic_plan', true)")
_EVENTS_AT_ONCE = 2_000
_MOST_PARSED = 500


class Mark(NamedTuple):
    """What tells one definition of a segment from every other."""

    key: str
    version: int
    changed_at: datetime


_parsed: dict[Mark, tuple[Segment, PreparedChanges]] = {}


class LiveSegment(NamedTuple):
    """A segment as it is defined now. Contacts that were there at `swept_at` have been judged."""

    segment: Segment
    version: int
    swept_at: datetime
    changes: PreparedChanges

    @property
    def key(self) -> str:
        """Its key."""
        return self.segment.key


_ordered: dict[frozenset[Mark], list[LiveSegment]] = {}
"""The definitions that were there last, in order: every batch of events asks for them, and they seldom change."""


@dataclass(frozen=True)
class MembershipChange:
    """A contact that has come into a segment, or left it."""

    segment: str
    contact_id: UUID
    entered: bool

    def event(self, now: datetime, cause: str) -> NewEvent:
        """The event that tells of it; `cause` makes its id, so that each change is told once."""
        name = ENTERED if self.entered else LEFT
        return NewEvent(
            event_id=f"{name}:{self.segment}:{self.contact_id}:{cause}",
            contact_id=self.contact_id,
            name=name,
            occurred_at=now,
            properties={"segment": self.segment},
            source=DERIVED,
        )


@dataclass(frozen=True)
class Preview:
    """What a condition would find now: how many, a few of them, and how many nobody can tell of."""

    count: int
    undecidable: int
    sample: Sequence[UUID]


@dataclass(frozen=True)
class Definition:
    """What defining a segment came to: who came in and who left, and how many of them journeys were told of."""

    version: int
    created: bool
    members: int
    entered: int
    left: int
    told: int


class SegmentRepository:
    """Segments and their members, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def hold(self) -> None:
        """Let no definition change until the transaction ends, in which statements are not planned anew each time."""
        await self._session.execute(_HOLD, {"key": _CHANGES_OR_FOLLOWS})

    async def live(self) -> list[LiveSegment]:
        """Every segment, those that others ask for before those that ask for them."""
        columns = (SegmentRecord.key, SegmentRecord.version, SegmentRecord.changed_at, SegmentRecord.swept_at)
        rows = (await self._session.execute(select(*columns))).all()
        known = _ordered.get(frozenset(Mark(*mark) for *mark, _ in rows))
        if known is None:
            return await self._order_anew()
        swept = {key: swept_at for key, *_, swept_at in rows}
        return [live._replace(swept_at=swept[live.key]) for live in known]

    async def _order_anew(self) -> list[LiveSegment]:
        query = select(SegmentRecord).execution_options(populate_existing=True)
        rows = (await self._session.scalars(query)).all()
        by_key = {row.key: live_segment(row) for row in rows}
        ordered = [by_key[segment.key] for segment in in_order(live.segment for live in by_key.values())]
        _ordered.clear()
        _ordered[frozenset(map(_mark_of, rows))] = ordered
        return ordered

    async def get(self, key: str) -> LiveSegment | None:
        """One segment, or None."""
        row = await self._session.get(SegmentRecord, key, populate_existing=True)
        return live_segment(row) if row is not None else None

    async def keys(self) -> frozenset[str]:
        """The keys of all segments."""
        return frozenset(await self._session.scalars(select(SegmentRecord.key)))

    async def page(self, *, after: str | None = None, limit: int = 50) -> list[LiveSegment]:
        """Segments in order of their keys, beginning behind `after`."""
        query = select(SegmentRecord).order_by(SegmentRecord.key).limit(limit)
        if after is not None:
            query = query.where(SegmentRecord.key > after)
        return [live_segment(row) for row in await self._session.scalars(query)]

    async def count(self, key: str) -> int:
        """How many contacts are in it."""
        query = select(func.count()).select_from(SegmentMember).where(SegmentMember.segment_key == key)
        return await self._session.scalar(query) or 0

    async def members(self, key: str, *, after: UUID | None = None, limit: int = 50) -> list[SegmentMember]:
        """Those who are in it, in order of their ids, beginning behind `after`."""
        query = select(SegmentMember).where(SegmentMember.segment_key == key)
        if after is not None:
            query = query.where(SegmentMember.contact_id > after)
        return list(await self._session.scalars(query.order_by(SegmentMember.contact_id).limit(limit)))

    async def member(self, key: str, contact_id: UUID) -> SegmentMember | None:
        """The contact's membership, or None."""
        return await self._session.get(SegmentMember, (key, contact_id), populate_existing=True)

    async def preview(self, condition: Condition, now: datetime, *, sample: int = 10) -> Preview:
        """What the condition says at `now` (aware), without storing anything.

        Raises:
            Invalid: it cannot be asked of a set, or names a segment or points model that does not exist.
        """
        demand_askable(condition)
        await self._demand_known(condition)
        one = asked(condition, now)
        counts = select(func.count().filter(one.is_member), func.count().filter(one.undecidable))
        count, undecidable = (await self._session.execute(counts.select_from(one.source))).one()
        some = await self._session.scalars(one.members().order_by(Contact.id).limit(sample))
        return Preview(count, undecidable, some.all())

    async def judge(self, live: LiveSegment, now: datetime, causes: Mapping[UUID, Cause]) -> list[MembershipChange]:
        """Set the membership of these contacts right, in one statement; returns what has changed.

        The caller holds the contacts' locks, and `hold`.
        """
        changes = await live.changes.run(self._session, now, causes)
        return [MembershipChange(live.key, contact_id, entered) for contact_id, entered in changes]

    async def define(self, segment: Segment, *, backfill: Backfill, now: datetime) -> Definition:
        """Store a segment, new or in place of what it was, and set its membership by one statement.

        Segments that ask for it follow. Journeys are told of who came in and who left only with `backfill: matching`.

        Raises:
            Invalid: the condition cannot be asked of a set, or names itself, or what there is not.
        """
        await self._session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHANGES_OR_FOLLOWS})
        demand_askable(segment.condition)
        await self._demand_known(segment.condition)
        before = await self.get(segment.key)
        stored = await self._store(segment, before, now)
        if before is not None and before.segment.condition == segment.condition:
            members = await self.count(segment.key)
            return Definition(stored.version, created=False, members=members, entered=0, left=0, told=0)
        own = await self._set(stored, now)
        changes = [*own, *await self._follow(segment.key, now)]
        told = changes if backfill is Backfill.MATCHING else []
        await self._tell(told, stored, now)
        entered = sum(change.entered for change in own)
        members = await self.count(segment.key)
        return Definition(
            stored.version,
            created=before is None,
            members=members,
            entered=entered,
            left=len(own) - entered,
            told=len(told),
        )

    async def remove(self, key: str) -> None:
        """Forget the segment and who was in it. That no journey uses it is for the caller to see to.

        Raises:
            NotFound: there is no such segment.
            Conflict: another segment asks for it.
        """
        await self._session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHANGES_OR_FOLLOWS})
        if await self.get(key) is None:
            raise NotFound(f"There is no segment {key}.", remedy="List the segments first.")
        asking = [live.key for live in await self.live() if key in live.segment.condition.needs().segments]
        if asking:
            what = f"The segment {key} is asked for by the segment {asking[0]}."
            raise Conflict(what, remedy="Change or remove that one first.")
        await self._session.execute(delete(SegmentRecord).where(SegmentRecord.key == key))

    async def swept(self, key: str, at: datetime) -> None:
        """Note that the contacts there were at `at` have been judged."""
        await self._session.execute(update(SegmentRecord).where(SegmentRecord.key == key).values(swept_at=at))

    async def _store(self, segment: Segment, before: LiveSegment | None, now: datetime) -> LiveSegment:
        same = before is not None and before.segment == segment
        version = 1 if before is None else before.version if same else before.version + 1
        values = {"version": version, "definition": to_document(segment), "changed_at": func.clock_timestamp()}
        if before is None or before.segment.condition != segment.condition:
            values["swept_at"] = now
        statement = insert(SegmentRecord).values(key=segment.key, **{"swept_at": now, **values})
        await self._session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))
        await self.live()  # raises where they ask for one another
        return LiveSegment(segment, version, now, PreparedChanges(segment))

    async def _demand_known(self, condition: Condition) -> None:
        models = await ScoringRepository(self._session).keys() if condition.needs().score_models else frozenset()
        demand_known(condition, segments=await self.keys(), models=models)

    async def _set(self, live: LiveSegment, now: datetime) -> list[MembershipChange]:
        """Set the whole membership right."""
        rows = await self._session.execute(changes_of(live.segment, now, because=f"as version {live.version} says"))
        return [MembershipChange(live.key, contact_id, entered) for contact_id, entered in rows]

    async def _follow(self, key: str, now: datetime) -> list[MembershipChange]:
        """Have the segments that ask for this one, or for one that does, set right."""
        changed, changes = {key}, list[MembershipChange]()
        for live in await self.live():
            if changed & live.segment.condition.needs().segments:
                changed.add(live.key)
                changes += await self._set(live, now)
        return changes

    async def _tell(self, changes: Sequence[MembershipChange], live: LiveSegment, now: datetime) -> None:
        cause = f"{live.key}-v{live.version}-{now:%Y%m%dT%H%M%S%f}"
        for start in range(0, len(changes), _EVENTS_AT_ONCE):
            some = changes[start : start + _EVENTS_AT_ONCE]
            await EventRepository(self._session).accept([change.event(now, cause) for change in some])


def live_segment(row: SegmentRecord) -> LiveSegment:
    """The segment of a row. Definitions are kept parsed in memory: every batch of events asks for them."""
    mark = _mark_of(row)
    if mark not in _parsed:
        if len(_parsed) >= _MOST_PARSED:
            _parsed.clear()
        segment = from_document(Segment, row.definition, name="segment")
        _parsed[mark] = (segment, PreparedChanges(segment))
    segment, changes = _parsed[mark]
    return LiveSegment(segment, row.version, row.swept_at, changes)


def _mark_of(row: SegmentRecord) -> Mark:
    return Mark(row.key, row.version, row.changed_at)


NEWCOMERS_SINCE = timedelta(minutes=10)
"""Contacts become visible a little after they were made; whoever looks for new ones looks back so far."""
