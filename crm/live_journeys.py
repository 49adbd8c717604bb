"""The journeys that take contacts now, all of them, for what is asked of them together."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys import definition_of
from crm.models.journey import JourneyVersion, VersionState
from journeys.model import Journey


async def live_journeys(session: AsyncSession) -> list[Journey]:
    """The definition of every live journey, in the order of their keys; of two live versions of one the newer."""
    query = select(JourneyVersion).where(JourneyVersion.state == VersionState.LIVE)
    ordered = query.order_by(JourneyVersion.journey_key, JourneyVersion.version)
    newest = {version.journey_key: version for version in await session.scalars(ordered)}
    return [definition_of(version) for version in newest.values()]
