"""Commands about the templates that journeys send: `dauerlauf templates`, `dauerlauf refresh-templates`."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession

from cli.connection import in_transaction
from cli.outlook import pinned_line
from crm.journeys import JourneyRepository
from crm.live_journeys import live_journeys
from kit.errors import Invalid, Problem
from messaging.pins import Pinned, TemplatePins

console = Console(highlight=False, soft_wrap=True)


def templates(key: Annotated[str, typer.Argument(help="The journey's key.")]) -> None:
    """Show which version of each template the versions of a journey send."""
    found = in_transaction(lambda session: _pins_of(session, key))
    for one in found:
        newer = "" if one.version == one.newest else f"; the newest is {one.newest}"
        console.print(f"version {one.journey_version}: {one.template} {one.version}{newer}", markup=False)
    if not found:
        console.print(f"{key} takes no contacts, holds none, or sends nothing.", markup=False)


async def _pins_of(session: AsyncSession, key: str) -> list[Pinned]:
    await JourneyRepository(session).demand_versions(key)
    return await TemplatePins(session).of(key)


def refresh(
    keys: Annotated[list[str] | None, typer.Argument(help="Keys of journeys.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every live journey.")] = False,
) -> None:
    """Have journeys send the newest templates, all or none: refused where one asks for what contacts may not have."""
    if bool(keys) == every:
        problem = Problem("KEY", "Which journeys are meant is not said.", "Name them, or write --all.")
        raise Invalid(problem.what, problems=[problem], remedy=problem.remedy)
    moved = in_transaction(lambda session: _refresh(session, keys or ()))
    for key, one in moved:
        console.print(pinned_line(key, one), markup=False)
    if not moved:
        console.print("Every template that is sent is the newest already.", markup=False)


async def _refresh(session: AsyncSession, keys: Sequence[str]) -> list[tuple[str, Pinned]]:
    # In one order everywhere, so that two commands never wait for each other.
    chosen = sorted(keys) or [journey.key for journey in await live_journeys(session)]
    pins = TemplatePins(session)
    return [(key, one) for key in chosen for one in await pins.refresh(key, by="cli")]
