"""Commands that publish journeys: `dauerlauf publish`, `promote`, `rollback`, `move` and `moves`."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession

from cli.authoring import Files, demand_sound, journey_files, publish_journeys
from cli.connection import in_transaction
from cli.outlook import already_line, move_line, print_outlook, publication_line
from crm.journeys import JourneyRepository
from crm.models.journey import VersionMove
from crm.publication import Coming, Publication, PublicationRepository, demand_sense
from journeys.loader import load_file
from journeys.migration import Inside, Timers, Treatment
from journeys.model import Journey
from journeys.outlook import Outlook
from journeys.plan import compile_plan
from kit.clock import wall_clock
from kit.errors import Invalid, Problem

Key = Annotated[str, typer.Argument(help="The journey's key.")]
InsideOption = Annotated[
    Inside | None,
    typer.Option("--inside", help="What becomes of those inside the version that is replaced. [default: finish]"),
]
MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="OLD=NEW", help="Of migrate: where those at a vanished or renamed step go on."),
]
TimersOption = Annotated[
    Timers, typer.Option("--timers", help="Of migrate: running waits follow the new version, or are kept.")
]
ShareOption = Annotated[
    int | None,
    typer.Option("--share", help="Percent of the new contacts, 1 to 99: the version is on trial beside the live one."),
]
LAST_VERSION = 2**31 - 1
"""The largest number the database can be asked for."""
console = Console(highlight=False, soft_wrap=True)


def publish(
    files: Files,
    *,
    plan: Annotated[bool, typer.Option("--plan", help="Show what it would do; change nothing.")] = False,
    inside: InsideOption = None,
    mapping: MapOption = None,
    timers: TimersOption = Timers.FOLLOW,
    share: ShareOption = None,
) -> None:
    """Check journeys against the templates of the database, then publish them: all of them or none."""
    journeys = [load_file(path) for path in journey_files(files)]
    treatment = treatment_of(inside, mapping, timers)
    if plan:
        demand_sense(treatment, share)
        raise typer.Exit(_show_plan(journeys, treatment, inside, share=share))
    for line in in_transaction(lambda session: publish_journeys(session, journeys, treatment=treatment, share=share)):
        console.print(line, markup=False)


def _show_plan(journeys: Sequence[Journey], treatment: Treatment, inside: Inside | None, *, share: int | None) -> int:
    """Print what a publication would do; 1 where it would be refused."""
    code = 0
    for journey, coming, outlook, already in in_transaction(lambda session: _look_ahead(session, journeys, treatment)):
        print_outlook(console, journey.key, coming, outlook, inside, share=share)
        if already is not None:
            console.print(f"  {already_line(journey.entry, already)}", markup=False)
        code = 1 if outlook and outlook.problems and inside is Inside.MIGRATE else code
    return code


async def _look_ahead(
    session: AsyncSession, journeys: Sequence[Journey], treatment: Treatment
) -> list[tuple[Journey, Coming, Outlook | None, int | None]]:
    await demand_sound(session, journeys)
    found = []
    for journey in journeys:
        publications, now = PublicationRepository(session), wall_clock()
        coming = await publications.coming(journey)
        plan = compile_plan(journey, coming.version)
        outlook = await publications.outlook(journey.key, plan, treatment, now)
        found.append((journey, coming, outlook, await publications.fitting_already(journey, now)))
    return found


def promote(
    key: Key,
    *,
    inside: InsideOption = None,
    mapping: MapOption = None,
    timers: TimersOption = Timers.FOLLOW,
    share: ShareOption = None,
) -> None:
    """Give the version on trial all new contacts, or with --share another percentage of them."""
    treatment = treatment_of(inside, mapping, timers)

    async def change(repository: PublicationRepository) -> Publication:
        return await repository.promote(key, by="cli", treatment=treatment, share=share, now=wall_clock())

    _tell(key, change)


def rollback(
    key: Key, *, inside: InsideOption = None, mapping: MapOption = None, timers: TimersOption = Timers.FOLLOW
) -> None:
    """Have the version before take new contacts again; --inside is about those inside the version given up."""
    treatment = treatment_of(inside, mapping, timers)

    async def change(repository: PublicationRepository) -> Publication:
        return await repository.rollback(key, by="cli", treatment=treatment, now=wall_clock())

    _tell(key, change)


def move(
    key: Key,
    *,
    version: Annotated[int, typer.Option("--from", help="The older version to empty.", min=1, max=LAST_VERSION)],
    inside: Annotated[Inside, typer.Option("--inside", help="migrate to the live version, or stop.")] = Inside.MIGRATE,
    mapping: MapOption = None,
    timers: TimersOption = Timers.FOLLOW,
) -> None:
    """Move those inside an older version to the live one, or out."""
    treatment = treatment_of(inside, mapping, timers)

    async def change(repository: PublicationRepository) -> Publication:
        return await repository.move(key, version, by="cli", treatment=treatment, now=wall_clock())

    _tell(key, change)


def moves(key: Key) -> None:
    """Show how far moves between versions have come, newest first."""
    found = in_transaction(lambda session: _moves_of(session, key))
    for one in found:
        console.print(move_line(one), markup=False)
    if not found:
        console.print(f"Nobody was ever moved between versions of {key}.", markup=False)


async def _moves_of(session: AsyncSession, key: str) -> list[VersionMove]:
    await JourneyRepository(session).demand_versions(key)
    return await PublicationRepository(session).moves(key)


def treatment_of(inside: Inside | None, mapping: Sequence[str] | None, timers: Timers) -> Treatment:
    """What is asked for those inside. Raises `Invalid` where a mapping is not written as OLD=NEW."""
    pairs = [text.partition("=") for text in mapping or ()]
    wrong = [f"{old}{sign}{new}" for old, sign, new in pairs if not (old and new)]
    if wrong:
        problems = [Problem(f"--map {text}", "This is no mapping.", "Write --map old-step=new-step.") for text in wrong]
        raise Invalid("A mapping names a step of the older version and one of the newer.", problems=problems)
    return Treatment(inside or Inside.FINISH, {old: new for old, _, new in pairs}, timers)


def _tell(key: str, change: Callable[[PublicationRepository], Awaitable[Publication]]) -> None:
    publication = in_transaction(lambda session: change(PublicationRepository(session)))
    console.print(publication_line(key, publication), markup=False)
