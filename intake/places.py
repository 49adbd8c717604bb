"""How many may enter a journey in all: the places that its entry limits, taken one after the other."""

from collections.abc import Iterable

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.enrollment import Enrollment

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('places:' || :key, 0))")


async def hold_places(session: AsyncSession, journeys: Iterable[str]) -> None:
    """Let nobody else enter these journeys until the transaction ends. In one order, so that nobody waits in a circle.

    Whoever locks contacts does so before.
    """
    for key in sorted(set(journeys)):
        await session.execute(_LOCK, {"key": key})


async def is_full(session: AsyncSession, journey: str, at_most: int) -> bool:
    """Whether so many have entered the journey, in all of its versions and however they have ended; no test users."""
    await hold_places(session, [journey])
    last = select(Enrollment.id).where(Enrollment.journey_key == journey, Enrollment.tested_draft.is_(None))
    last = last.offset(at_most - 1).limit(1)
    return await session.scalar(last) is not None
