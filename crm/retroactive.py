"""What a journey would have brought about had its goal been another one: a report over events that are stored.

Nobody was told of that goal, nobody has left by it, and nothing of it is written anywhere.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.experiments import PART, Group, Part
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from journeys.conditions.comparison import matches
from journeys.proportions import Counted
from journeys.values import EventName, Where
from kit.errors import Invalid

_ROWS_AT_ONCE = 2_000


@dataclass(frozen=True)
class OtherGoal:
    """Events of a name and with properties, so long after the entry."""

    event: EventName
    where: Where
    within: timedelta


async def groups_by(session: AsyncSession, journey_key: str, goal: OtherGoal, now: datetime) -> dict[Part, Group]:
    """All enrollments of the journey but test runs, by part, counted by that goal. `now` is aware.

    An event that cannot be compared as asked meets nothing.
    """
    until = Enrollment.entered_at + literal(goal.within)
    counts = select(PART, func.count(), func.count().filter(until >= now)).where(*_of(journey_key))
    met, met_early = await _met(session, journey_key, goal, now)
    return {
        Part(part): Group(Counted(entered, met[part]), still - met_early[part])
        for part, entered, still in await session.execute(counts.group_by(PART))
    }


def _of(journey_key: str) -> tuple[ColumnElement[bool], ...]:
    return Enrollment.journey_key == journey_key, Enrollment.tested_draft.is_(None)


async def _met(
    session: AsyncSession, journey_key: str, goal: OtherGoal, now: datetime
) -> tuple[Counter[str], Counter[str]]:
    """By part, how many met it, and how many of them before their time was over."""
    follows = or_(
        Event.occurred_at > Enrollment.entered_at,
        and_(Event.occurred_at == Enrollment.entered_at, Event.sequence > Enrollment.entry_sequence),
    )
    in_time = and_(Event.sequence != Enrollment.entry_sequence, follows)
    in_time = and_(in_time, Event.occurred_at <= Enrollment.entered_at + literal(goal.within))
    query = (
        select(Enrollment.id, PART, Enrollment.entered_at, Enrollment.entry_properties, Event.properties)
        .join(Event, and_(Event.contact_id == Enrollment.contact_id, Event.name == goal.event, in_time))
        .where(*_of(journey_key))
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    found = {}
    async for enrollment, part, entered_at, entry, properties in await session.stream(query):
        if enrollment not in found and _fits(goal.where, properties, entry):
            found[enrollment] = (part, entered_at + goal.within >= now)
    return Counter(part for part, _ in found.values()), Counter(part for part, early in found.values() if early)


def _fits(where: Where, properties: dict[str, object], entry: dict[str, object]) -> bool:
    try:
        return matches(where, properties, entry)
    except Invalid:
        return False
