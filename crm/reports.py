"""What journeys of one kind have brought about together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.experiments import PART, Group, Part, outcome_known
from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyVersion
from journeys.model import GoalType
from journeys.proportions import Counted

NOBODY = Group(Counted(0, 0), 0)


@dataclass(frozen=True)
class GoalTypeResult:
    """The enrollments in journeys whose goal is of a type: in how many journeys, and what came of them."""

    journeys: int = 0
    groups: Mapping[Part, Group] = field(default_factory=dict)
    """By part; one without any enrollment is left out."""


async def by_goal_type(session: AsyncSession, now: datetime) -> dict[GoalType, GoalTypeResult]:
    """Every goal type; an enrollment counts under the one its journey had when it began. `now` is aware."""
    kind = JourneyVersion.definition["goal"]["type"].astext
    began_in = and_(
        JourneyVersion.journey_key == Enrollment.journey_key, JourneyVersion.version == Enrollment.entered_version
    )
    counts = (func.count(), func.count(Enrollment.goal_met_at), func.count().filter(~outcome_known(now)))
    query = (
        select(kind, PART, *counts)
        .select_from(Enrollment)
        .join(JourneyVersion, began_in)
        .where(kind.is_not(None), Enrollment.tested_draft.is_(None))
        .group_by(kind, PART)
    )
    journeys = (
        select(kind, func.count(Enrollment.journey_key.distinct()))
        .select_from(Enrollment)
        .join(JourneyVersion, began_in)
        .where(kind.is_not(None), Enrollment.tested_draft.is_(None))
        .group_by(kind)
    )
    numbers = dict((await session.execute(journeys)).tuples().all())
    groups: dict[str, dict[Part, Group]] = {}
    for goal_type, part, entered, met, still in await session.execute(query):
        groups.setdefault(goal_type, {})[Part(part)] = Group(Counted(entered, met), still)
    return {one: GoalTypeResult(numbers.get(one, 0), groups.get(one, {})) for one in GoalType}
