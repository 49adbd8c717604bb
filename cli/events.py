"""`dauerlauf events`: the events intake could not apply, and taking them up again once the reason is gone."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cli.connection import in_transaction
from intake.failures import take_up_again
from intake.models import IntakeFailure

app = typer.Typer(name="events", help="Events that could not be applied.", no_args_is_help=True)


@app.command()
def failures() -> None:
    """Count the events that were set aside, by reason. They are kept; the events behind them were applied."""
    reason = func.count().label("events")
    query = select(IntakeFailure.reason, reason, func.min(IntakeFailure.sequence)).group_by(IntakeFailure.reason)
    rows = in_transaction(lambda session: _rows(session, query.order_by(reason.desc())))
    table = Table("reason", "events", "first sequence")
    for row in rows:
        table.add_row(*[str(value) for value in row])
    Console().print(table if rows else "No event was set aside.")


@app.command()
def retry(
    sequence: Annotated[list[int] | None, typer.Option(help="Only this event; repeat it. Default: all.")] = None,
) -> None:
    """Queue the events that were set aside again, for instance after a repaired release. Each takes effect once."""
    count = in_transaction(lambda session: take_up_again(session, sequence or None))
    typer.echo(f"{count} events are in the queue again.")


async def _rows(session: AsyncSession, query: Select[Any]) -> list[tuple[object, ...]]:
    return [tuple(row) for row in (await session.execute(query)).all()]
