"""Commands for those who write journeys and mails: `dauerlauf check`, `publish-templates`; `publish` is beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession

from cli.connection import in_transaction
from cli.outlook import publication_line
from crm.journeys import JourneyRepository
from crm.publication import PublicationRepository
from crm.vouchers import VoucherRepository
from journeys.checks import check as findings_of
from journeys.checks import check_moments
from journeys.findings import Finding, KnownTemplate, KnownTemplates, Severity
from journeys.loader import load_with_places
from journeys.migration import Treatment
from journeys.model import Journey
from journeys.proofs.subject import subject_of
from journeys.proofs.summary import describe_ways
from journeys.proofs.together import check_together
from kit.clock import wall_clock
from kit.errors import Invalid, Problem
from kit.settings import Settings
from messaging.live_checks import check_live
from messaging.publishing import checked_templates, compile_template
from messaging.publishing import publish_templates as templates_into
from messaging.template_source import LOCALES, packaged_templates
from messaging.template_store import known_templates

Files = Annotated[list[Path], typer.Argument(help="Journey files (YAML), or directories of them.", exists=True)]
console = Console(highlight=False, soft_wrap=True)
FINISH = Treatment()


def check(
    files: Files,
    *,
    ways: Annotated[bool, typer.Option("--ways", help="Also tell how long each way takes and what it sends.")] = False,
) -> None:
    """Check journeys, each and all together, without a database: known are the templates that ship with the product.

    Ends with exit code 1 where a journey could not be published.
    """
    known = shipped_templates()
    failed = False
    sound: list[Journey] = []
    for path in journey_files(files):
        try:
            journey, places = load_with_places(path.read_text(encoding="utf-8"), source=path.name)
            findings = findings_of(journey, known, places=places, now=wall_clock())
        except Invalid as error:
            _print_problems(path, error.problems or (Problem(path.name, error.message, error.remedy),), "error")
            failed = True
            continue
        _print_findings(path, findings)
        if ways:
            _print_ways(journey, known)
        sound += [] if any(finding.severity is Severity.ERROR for finding in findings) else [journey]
        failed = failed or journey not in sound
    for finding in check_together(sound, known, weekly_cap=Settings().weekly_cap):
        console.print(f"{finding}", markup=False)
    raise typer.Exit(1 if failed else 0)


async def publish_journeys(
    session: AsyncSession, journeys: Sequence[Journey], *, treatment: Treatment = FINISH, share: int | None = None
) -> list[str]:
    """Publish the journeys, all or none; returns a sentence for each, and what is doubtful beside the other live ones.

    Raises:
        Invalid: a journey has errors, or those inside cannot be treated as asked.
        Conflict: another version is on trial, or this one cannot be.
    """
    await demand_sound(session, journeys)
    repository = JourneyRepository(session)
    publications = PublicationRepository(session)
    said = []
    # In one order everywhere, so that two publications never wait for each other.
    for journey in sorted(journeys, key=lambda one: one.key):
        await repository.put_draft(journey)
        publication = await publications.publish(
            journey.key, by="cli", treatment=treatment, share=share, now=wall_clock()
        )
        said.append(publication_line(journey.key, publication))
        said += [str(finding) for finding in check_moments(journey, wall_clock())]
    keys = [journey.key for journey in journeys]
    return said + [str(finding) for finding in await check_live(session, keys, weekly_cap=Settings().weekly_cap)]


async def demand_sound(session: AsyncSession, journeys: Sequence[Journey]) -> None:
    """Raise `Invalid` where one of the journeys has errors, with the templates and voucher pools there are."""
    known, pools = await known_templates(session), await VoucherRepository(session).keys()
    for journey in journeys:
        problems = [one.problem for one in findings_of(journey, known, pools=pools) if one.severity is Severity.ERROR]
        if problems:
            raise Invalid(f"The journey {journey.key} cannot be published; nothing was.", problems=problems)


def publish_templates(directory: Annotated[Path, typer.Argument(help="Folder of templates.", exists=True)]) -> None:
    """Check, compile and publish the templates of a folder: all of them or none."""
    for template in in_transaction(lambda session: templates_into(session, directory)):
        console.print(f"{template.key}: version {template.version}{' (new)' if template.changed else ''}")


def shipped_templates() -> KnownTemplates:
    """What checks know of the templates that ship with the product, without a database."""
    known = {}
    for source in checked_templates(packaged_templates()):
        rows = [compile_template(source, locale) for locale in LOCALES]
        required = frozenset(name for row in rows for name in row.required)
        known[source.key] = KnownTemplate(rows[0].message_class, required)
    return known


def journey_files(paths: Sequence[Path]) -> list[Path]:
    """The files named, and those in the directories named, in order."""
    return [
        file
        for path in paths
        for file in (sorted([*path.glob("*.yaml"), *path.glob("*.yml")]) if path.is_dir() else [path])
    ]


def _print_findings(path: Path, findings: Sequence[Finding]) -> None:
    if not findings:
        console.print(f"[green]{path}: nothing to mend.[/]")
    for finding in findings:
        _print_problems(path, (finding.problem,), finding.severity)


def _print_ways(journey: Journey, known: KnownTemplates) -> None:
    subject = subject_of(journey)
    for line in describe_ways(subject, known) if subject else ():
        console.print(f"  {line}", markup=False)


def _print_problems(path: Path, problems: Sequence[Problem], severity: str) -> None:
    for problem in problems:
        console.print(f"{path}: {severity}: {problem}", markup=False)
