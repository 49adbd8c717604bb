"""Watches the imported events take effect: what intake has yet to apply, the relay has yet to tell, what was sent."""

import asyncio
from dataclasses import astuple, dataclass

from rich.console import Console
from rich.live import Live
from rich.table import Table
from sqlalchemy import func, select

from crm.models.enrollment import Enrollment
from crm.models.event import QueuedEvent
from intake.models import OutboxEntry
from journeys.outcomes import JourneyState
from kit.database import Sessions
from messaging.models import MessageRecord, MessageState

_INTERVAL = 0.5
_LIMIT_SECONDS = 180


@dataclass(frozen=True)
class Counts:
    """Where the import stands."""

    queued: int
    outbox: int
    enrolled: int
    settled: int
    """Enrollments that have reached their first wait, or ended."""
    mails: int

    @property
    def done(self) -> bool:
        """Nothing is under way any more."""
        return self.enrolled > 0 and self.queued == self.outbox == 0 and self.settled == self.enrolled


async def count(sessions: Sessions) -> Counts:
    """The present counts, from the database."""
    moving = Enrollment.state.in_([JourneyState.STARTING, JourneyState.RUNNING])
    async with sessions() as session:
        queries = (
            select(func.count()).select_from(QueuedEvent),
            select(func.count()).select_from(OutboxEntry),
            select(func.count()).select_from(Enrollment),
            select(func.count()).select_from(Enrollment).where(~moving),
            select(func.count()).select_from(MessageRecord).where(MessageRecord.state == MessageState.HANDED_OVER),
        )
        return Counts(*[(await session.execute(query)).scalar_one() for query in queries])


async def watch(sessions: Sessions, inbox: str, console: Console) -> Counts:
    """Show the counts until nothing is under way, three minutes at most; says so where it took longer."""
    clock = asyncio.get_running_loop().time
    begun = clock()
    with Live(console=console, refresh_per_second=2, transient=True) as live:
        while not (counts := await count(sessions)).done and clock() - begun < _LIMIT_SECONDS:
            live.update(_table(counts, clock() - begun))
            await asyncio.sleep(_INTERVAL)
    taken = clock() - begun
    if counts.done:
        console.print(
            f"   {counts.enrolled} journeys run, {counts.mails} mails are in the inbox ({inbox}), {taken:.0f} s."
        )
    else:
        console.print(f"   [yellow]Still under way after {taken:.0f} s: {counts}[/]; it goes on by itself.")
    return counts


def _table(counts: Counts, seconds: float) -> Table:
    table = Table(box=None, padding=(0, 3))
    for heading in ("events to apply", "to tell Temporal", "journeys", "past their first step", "mails", "seconds"):
        table.add_column(heading, justify="right")
    table.add_row(*[str(number) for number in astuple(counts)], f"{seconds:.0f}")
    return table
