"""Events: accepting them once, and reading what happened to a contact. What follows from one is decided in `intake`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.event import Event

DERIVED = "derived"
"""Source of events that follow from others."""


@dataclass(frozen=True)
class NewEvent:
    """An event to be accepted. `occurred_at` is aware; `source` is `api`, `segment` or `derived`.

    Raises:
        Invalid: `properties` cannot be stored as JSON, or `occurred_at` is naive.
    """

    event_id: str
    contact_id: UUID
    name: str
    occurred_at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)
    source: str = "api"


class EventRepository:
    """The event log, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def accept(self, events: Sequence[NewEvent]) -> frozenset[str]:
        """Store events and queue them for intake, in the order given. Returns the ids that were new.

        An id that was accepted before, or stands in `events` twice, counts once: the first one is kept.
        """
        raise NotImplementedError

    async def is_known(self, event_id: str) -> bool:
        """Whether an event of that id was accepted."""
        raise NotImplementedError

    async def history(
        self,
        contact_id: UUID,
        *,
        names: Collection[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 1_000,
    ) -> list[Event]:
        """The newest `limit` events by occurrence (both ends included), of these names only, oldest first."""
        raise NotImplementedError

    async def page(self, contact_id: UUID, *, before_sequence: int | None = None, limit: int = 50) -> list[Event]:
        """The contact's events, newest received first, beginning behind `before_sequence`."""
        raise NotImplementedError
