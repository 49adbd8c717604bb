"""What is doubtful about the live journeys together, as they are stored. The rules are in `journeys.proofs`."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from crm.live_journeys import live_journeys
from journeys.findings import Finding
from journeys.proofs.together import check_together
from messaging.template_store import known_templates


async def check_live(session: AsyncSession, about: Collection[str], *, weekly_cap: int) -> list[Finding]:
    """The findings about all live journeys together that concern those named, as warnings."""
    journeys, known = await live_journeys(session), await known_templates(session)
    return check_together(journeys, known, weekly_cap=weekly_cap, about=about)
