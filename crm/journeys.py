"""Journeys as stored: one draft at a time, immutable versions, one of them live. Their meaning is in `journeys`."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.journey import JourneyVersion
from journeys.model import Journey
from journeys.plan import Plan


@dataclass(frozen=True)
class JourneySummary:
    """A journey in a listing: its name and owner as in the live version, or else in the newest."""

    key: str
    name: str
    owner: str
    live: int | None
    draft: int | None


class JourneyRepository:
    """Journeys and their versions, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put_draft(self, journey: Journey) -> JourneyVersion:
        """Store the definition as the journey's draft, in place of the draft there may be."""
        raise NotImplementedError

    async def publish(self, key: str, *, by: str) -> JourneyVersion:
        """Make the draft live; the version that was live finishes with the contacts inside it.

        An unchanged definition makes no new version: the live one is returned, as it is where no draft exists.
        Writes an audit entry in the name of `by` where something changed.

        Raises:
            NotFound: no such journey.
            Conflict: there is neither a draft nor a live version.
        """
        raise NotImplementedError

    async def live(self, key: str) -> JourneyVersion | None:
        """The version that takes new contacts, or None."""
        raise NotImplementedError

    async def draft(self, key: str) -> JourneyVersion | None:
        """The draft, or None."""
        raise NotImplementedError

    async def version(self, key: str, version: int) -> JourneyVersion | None:
        """One version, or None."""
        raise NotImplementedError

    async def versions(self, key: str) -> list[JourneyVersion]:
        """Every version, newest first; empty where the journey does not exist."""
        raise NotImplementedError

    async def page(self, *, after: str | None = None, limit: int = 50) -> list[JourneySummary]:
        """Journeys in order of their keys, beginning behind `after`."""
        raise NotImplementedError

    async def live_for_event(self, name: str) -> list[JourneyVersion]:
        """Live versions that an event of this name may enter."""
        raise NotImplementedError


def plan_of(version: JourneyVersion) -> Plan:
    """The plan of a stored version. Published plans are kept parsed in memory: they never change."""
    raise NotImplementedError


def definition_of(version: JourneyVersion) -> Journey:
    """The definition of a stored version."""
    raise NotImplementedError
