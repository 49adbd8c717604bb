"""Which journeys need a segment: those that take contacts and name it, and those with contacts inside that name it."""

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys import definition_of
from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyVersion, VersionState
from journeys.segments import segments_of


async def journeys_with_segment(session: AsyncSession, key: str) -> list[str]:
    """Keys of the journeys that name the segment and are live, or have contacts inside, in their order."""
    inside = exists().where(
        Enrollment.journey_key == JourneyVersion.journey_key,
        or_(Enrollment.version == JourneyVersion.version, Enrollment.moving_to == JourneyVersion.version),
        Enrollment.ended_at.is_(None),
    )
    query = select(JourneyVersion).where(or_(JourneyVersion.state == VersionState.LIVE, inside))
    versions = await session.scalars(query.order_by(JourneyVersion.journey_key))
    naming = [one.journey_key for one in versions if any(key == named for named, _ in segments_of(definition_of(one)))]
    return list(dict.fromkeys(naming))
