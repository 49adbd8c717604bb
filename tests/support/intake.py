"""Intake under test: accepted events, applied to the last one, and what the outbox then holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, text

from crm.events import EventRepository, NewEvent
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from crm.models.journey import JourneyVersion
from intake.consumer import IntakeConsumer
from intake.models import EntryRefusal, OutboxEntry
from kit.database import Base, Sessions
from tests.support.builders import a_contact, a_live_journey

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MARKETING = {"consent": {"purpose": "marketing", "channel": "email"}}


def journey(key: str = "review", **parts: Any) -> dict[str, Any]:
    """A journey that is entered by an order and listens to reviews (goal) and refunds (exit)."""
    return {
        "key": key,
        "name": "After an order",
        "owner": "tests",
        "goal": {"type": "sell", "event": "review.created"},
        "entry": {"event": "order.placed"},
        "exit": [{"event": "order.refunded", "where": {"order_id": "$entry.order_id"}}],
        "steps": [{"id": "pause", "wait": "1d"}],
    } | parts


@dataclass
class Intake:
    """Accepts events, has them applied, and shows the outcome. Its present is `NOW` unless a test moves it."""

    sessions: Sessions
    database_url: str
    now: datetime = NOW
    control_group: int = 0
    digest_key: SecretStr | None = None

    def consumer(self) -> IntakeConsumer:
        return IntakeConsumer(
            self.sessions,
            self.database_url,
            lambda: self.now,
            control_group=self.control_group,
            digest_key=self.digest_key,
        )

    async def is_released(self) -> bool:
        """Whether the server has noticed that a killed process is gone: until then what it had locked is left out."""
        others = text("""
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
        """)
        async with self.sessions() as session:
            return bool(await session.scalar(others) == 0)

    async def contact(self, **traits: Any) -> UUID:
        async with self.sessions.begin() as session:
            return (await a_contact(session, **traits)).id

    async def publish(self, key: str = "review", **parts: Any) -> JourneyVersion:
        async with self.sessions.begin() as session:
            return await a_live_journey(session, journey(key, **parts))

    async def accept(
        self,
        contact_id: UUID,
        name: str,
        properties: Mapping[str, Any] | None = None,
        *,
        event_id: str | None = None,
        ago: timedelta = timedelta(),
    ) -> str:
        """An event as the API accepts it, not yet applied; its id."""
        event_id = event_id or f"{name}-{await self.count(Event) + 1}"
        event = NewEvent(event_id, contact_id, name, self.now - ago, properties or {})
        async with self.sessions.begin() as session:
            await EventRepository(session).accept([event])
        return event_id

    async def apply(self) -> int:
        """Everything that waits; how many events that were."""
        return await self.consumer().drain()

    async def tell(self, contact_id: UUID, name: str, properties: Mapping[str, Any] | None = None, **more: Any) -> str:
        """Accept an event and apply it."""
        event_id = await self.accept(contact_id, name, properties, **more)
        await self.apply()
        return event_id

    async def end(self, enrollment_id: UUID, at: datetime) -> None:
        """As if the enrollment's workflow had ended and told so."""
        async with self.sessions.begin() as session:
            enrollment = await session.get_one(Enrollment, enrollment_id)
            enrollment.state, enrollment.ended_at = "completed", at

    async def enrollments(self) -> Sequence[Enrollment]:
        """All, oldest first."""
        return await self.rows(Enrollment)

    async def outbox(self) -> list[tuple[str, UUID, list[str]]]:
        """What Temporal is to be told, in order: kind, enrollment, criteria."""
        entries = await self.rows(OutboxEntry)
        return [(entry.kind, entry.enrollment_id, entry.payload.get("criteria", [])) for entry in entries]

    async def refusals(self) -> list[tuple[str, str | None]]:
        """Refused entries, in order: reason and cause."""
        return [(refusal.reason, refusal.cause_event_id) for refusal in await self.rows(EntryRefusal)]

    async def rows(self, model: type[Any]) -> Sequence[Any]:
        """Every row of a table, in the order of its key."""
        async with self.sessions() as session:
            query = select(model).order_by(*model.__table__.primary_key.columns)
            return (await session.scalars(query)).all()

    async def count(self, model: type[Base]) -> int:
        async with self.sessions() as session:
            return await session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
def intake(sessions: Sessions, database_url: str) -> Intake:
    """Intake on an empty database."""
    return Intake(sessions, database_url)
