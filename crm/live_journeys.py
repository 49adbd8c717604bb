"""The journeys that take contacts now, all of them, for what is asked of them together; and what there is at all."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys import definition_of
from crm.models.journey import JourneyVersion, VersionState
from crm.scoring import ScoringRepository
from crm.segments import SegmentRepository
from crm.vouchers import VoucherRepository
from journeys.model import Journey
from journeys.rules.others import Others, others_of


async def live_journeys(session: AsyncSession) -> list[Journey]:
    """The definition of every live journey, in the order of their keys; of two live versions of one the newer."""
    query = select(JourneyVersion).where(JourneyVersion.state == VersionState.LIVE)
    ordered = query.order_by(JourneyVersion.journey_key, JourneyVersion.version)
    newest = {version.journey_key: version for version in await session.scalars(ordered)}
    return [definition_of(version) for version in newest.values()]


async def beside(session: AsyncSession, *further: str, all_known: bool) -> Others:
    """What journeys can refer to: those stored, drafts and the `further` keys included, and the live points models.

    `all_known` says that what is not among them does not exist; otherwise it may still come.
    """
    keys: Collection[str] = (await session.scalars(select(JourneyVersion.journey_key).distinct())).all()
    models = [live.model for live in await ScoringRepository(session).live()]
    segments, pools = await SegmentRepository(session).keys(), await VoucherRepository(session).keys()
    return others_of([*keys, *further], models, segments=segments, pools=pools, all_known=all_known)
