"""The keeper of clocks under test: time passes when a test says so, and everything due is done by then."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from crm.models.clock import EntryClock, EntryRound
from crm.models.event import Event
from intake.clocks import EntryClocks
from tests.support.intake import Intake

DEFAULT_ZONE = "Europe/Berlin"


@dataclass
class Timekeeper:
    """Moves the present of an `Intake` and has its clocks kept."""

    intake: Intake

    def keeper(self) -> EntryClocks:
        return EntryClocks(
            self.intake.sessions, self.intake.database_url, default_zone=DEFAULT_ZONE, clock=lambda: self.intake.now
        )

    async def keep(self) -> None:
        """Do everything that is due now, and what follows from it."""
        while await self.keeper().drain() + await self.intake.apply():
            pass

    async def pass_time(self, span: timedelta) -> None:
        """Let time pass, all at once, as for a process that was away; then do everything that is due."""
        await self.wait_until(self.intake.now + span)

    async def wait_until(self, moment: datetime) -> None:
        self.intake.now = moment
        await self.keep()

    async def due(self) -> dict[UUID, datetime | None]:
        """When each contact's clock is due; with one journey only."""
        return {clock.contact_id: clock.due_at for clock in await self.intake.rows(EntryClock)}

    async def rounds(self) -> list[tuple[str, int, int, str]]:
        """Every round: kind, contacts, done, outcome."""
        rounds = await self.intake.rows(EntryRound)
        return [(one.kind, one.contacts, one.done, one.outcome) for one in rounds]

    async def entered(self) -> list[UUID]:
        """The contacts of all enrollments, oldest first."""
        return [enrollment.contact_id for enrollment in await self.intake.enrollments()]

    async def events(self, name: str) -> list[Event]:
        async with self.intake.sessions() as session:
            return list(await session.scalars(select(Event).where(Event.name == name).order_by(Event.sequence)))


@pytest.fixture
def timekeeper(intake: Intake) -> Timekeeper:
    """Clocks on an empty database."""
    return Timekeeper(intake)
