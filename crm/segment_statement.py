"""The one statement that sets membership of a segment right: who comes in, who leaves, and whom to look at when."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    CTE,
    DateTime,
    Select,
    Text,
    Uuid,
    bindparam,
    cast,
    delete,
    false,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import CompoundSelect

from crm.condition_sql import asked
from crm.models.contact import Contact
from crm.models.segment import SegmentClock, SegmentMember
from journeys.segments import Segment


class Cause(NamedTuple):
    """After what a contact is judged, in words, and the id of the event if it was one."""

    because: str
    event_id: str | None = None


def changes_of(
    segment: Segment, now: datetime, *, among: Mapping[UUID, Cause] | None = None, because: str = ""
) -> CompoundSelect[Any]:
    """The statement. It yields each contact whose membership changes, and whether it has come in.

    Args:
        segment: the segment.
        now: the instant to judge at, aware.
        among: the contacts to judge, and why; None for all there are.
        because: why, where it is all of them.
    """
    judged = _judged(segment, now, list(among) if among is not None else None)
    entered = _entered(segment, now, judged, among, because)
    left = (
        delete(SegmentMember)
        .where(
            SegmentMember.segment_key == segment.key,
            SegmentMember.contact_id == judged.c.contact_id,
            ~judged.c.member,
        )
        .returning(SegmentMember.contact_id)
        .cte("left_it")
    )
    changes = union_all(select(entered.c.contact_id, true()), select(left.c.contact_id, false()))
    return changes.add_cte(_set_clocks(segment, judged), _stopped_clocks(segment, judged))


def _judged(segment: Segment, now: datetime, among: list[UUID] | None) -> CTE:
    one = asked(segment.condition, now, among=among)
    due_at = cast(one.due_at, DateTime(timezone=True))
    query = select(Contact.id.label("contact_id"), one.is_member.label("member"), due_at.label("due_at"))
    return query.select_from(one.source).where(one.among).cte("judged").prefix_with("MATERIALIZED")


def _entered(segment: Segment, now: datetime, judged: CTE, among: Mapping[UUID, Cause] | None, because: str) -> CTE:
    columns = ["segment_key", "contact_id", "since", "because", "cause_event_id"]
    new = select(literal(segment.key), judged.c.contact_id, bindparam("now", now, type_=DateTime(timezone=True)))
    named = new.add_columns(literal(because), literal(None, Text))
    chosen = named if among is None else _with_causes(new, judged, among)
    new = chosen.where(judged.c.member).order_by(judged.c.contact_id)
    statement = insert(SegmentMember).from_select(columns, new).on_conflict_do_nothing()
    return statement.returning(SegmentMember.contact_id).cte("entered")


def _with_causes(new: Select[Any], judged: CTE, among: Mapping[UUID, Cause]) -> Select[Any]:
    given = func.unnest(
        *(bindparam(name, value, type_=ARRAY(_TYPES[name])) for name, value in _causes(among).items())
    ).table_valued("contact_id", "because", "event_id")
    causes = given.render_derived(name="causes")
    joined = new.join_from(judged, causes, causes.c.contact_id == judged.c.contact_id)
    return joined.add_columns(causes.c.because, causes.c.event_id)


_TYPES: Mapping[str, Any] = {"contact_ids": Uuid, "reasons": Text, "event_ids": Text}


def _causes(among: Mapping[UUID, Cause]) -> dict[str, list[Any]]:
    """Parameters: the contacts to judge, and why each is."""
    return {
        "contact_ids": list(among),
        "reasons": [cause.because for cause in among.values()],
        "event_ids": [cause.event_id for cause in among.values()],
    }


class PreparedChanges:
    """The statement for single contacts, made once for a definition: each event asks it anew, and making it is dear."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._compiled: Any = None

    async def run(self, session: AsyncSession, now: datetime, among: Mapping[UUID, Cause]) -> list[tuple[UUID, bool]]:
        """Set the membership of these contacts right; each whose membership has changed, and whether it has come in."""
        await session.flush()
        connection = await session.connection()
        if self._compiled is None:
            statement = changes_of(self._segment, now, among=among)
            self._compiled = statement.compile(dialect=connection.dialect)
        rows = await connection.execute(self._compiled, {"now": now, **_causes(among)})
        return [(contact_id, entered) for contact_id, entered in rows]


def _set_clocks(segment: Segment, judged: CTE) -> CTE:
    due = select(literal(segment.key), judged.c.contact_id, judged.c.due_at).where(judged.c.due_at.is_not(None))
    statement = insert(SegmentClock).from_select(
        ["segment_key", "contact_id", "due_at"], due.order_by(judged.c.contact_id)
    )
    return statement.on_conflict_do_update(
        index_elements=["segment_key", "contact_id"],
        set_={"due_at": statement.excluded.due_at},
        where=SegmentClock.due_at != statement.excluded.due_at,
    ).cte("set_clocks")


def _stopped_clocks(segment: Segment, judged: CTE) -> CTE:
    return (
        delete(SegmentClock)
        .where(
            SegmentClock.segment_key == segment.key,
            SegmentClock.contact_id == judged.c.contact_id,
            judged.c.due_at.is_(None),
        )
        .cte("stopped_clocks")
    )
