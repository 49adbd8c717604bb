"""Commands for those who write journeys and mails: `dauerlauf check`, `publish-templates`; `publish` is beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession

from cli.connection import in_transaction
from cli.outlook import pinned_line, publication_line
from cli.segments import read_segments
from cli.simulation.sources import read_models
from crm.journeys import JourneyRepository
from crm.live_journeys import beside
from crm.publication import PublicationRepository
from journeys.catalogue import catalogue
from journeys.catalogue import models as shipped_models
from journeys.checks import Others, check_moments
from journeys.checks import check as findings_of
from journeys.findings import Finding, KnownTemplate, KnownTemplates, Severity
from journeys.loader import load_with_places, read_text
from journeys.migration import Treatment
from journeys.model import Journey
from journeys.places import Places
from journeys.proofs.subject import subject_of
from journeys.proofs.summary import describe_ways
from journeys.proofs.together import check_together
from journeys.rules.others import others_of
from journeys.segments import demand_known
from kit.clock import wall_clock
from kit.errors import Invalid, Problem
from kit.settings import Settings
from messaging.live_checks import check_live
from messaging.pins import TemplatePins
from messaging.publishing import checked_templates, compile_template
from messaging.publishing import publish_templates as templates_into
from messaging.template_source import LOCALES, packaged_templates
from messaging.template_store import known_templates

Templates = Annotated[list[Path] | None, typer.Option(help="Folders of mail templates.", exists=True, file_okay=False)]
Models = Annotated[list[Path] | None, typer.Option(help="Files of points models.", exists=True, dir_okay=False)]
Files = Annotated[list[Path], typer.Argument(help="Journey files (YAML), or directories of them.", exists=True)]
console = Console(highlight=False, soft_wrap=True)
FINISH = Treatment()


@dataclass(frozen=True)
class _Document:
    """A file with the journey in it, or what keeps it from being one."""

    path: Path
    journey: Journey | None
    places: Places
    problems: Sequence[Problem] = ()


def check(
    files: Files,
    *,
    templates: Templates = None,
    models: Models = None,
    ways: Annotated[bool, typer.Option("--ways", help="Also tell how long each way takes and what it sends.")] = False,
    segments: Annotated[
        list[Path] | None, typer.Option(help="Files of segments: no others exist then.", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """Check journeys, each and all together, without a database.

    Known are the templates, points models and journeys that ship with the product, and those given. Ends with exit
    code 1 where a journey could not be published.
    """
    known = shipped_templates(templates or ())
    documents = [_read(path) for path in journey_files(files)]
    others = _others(documents, models or (), segments)
    sound = []
    for document in documents:
        if _tell(document, known, others) and document.journey is not None:
            sound.append(document.journey)
        if ways and document.journey is not None:
            _print_ways(document.journey, known)
    for finding in check_together(sound, known, weekly_cap=Settings().weekly_cap):
        console.print(f"{finding}", markup=False)
    raise typer.Exit(1 if len(sound) < len(documents) else 0)


def _read(path: Path) -> _Document:
    try:
        return _Document(path, *load_with_places(read_text(path, name="journey"), source=path.name))
    except Invalid as error:
        problems = error.problems or (Problem(path.name, error.message, error.remedy),)
        return _Document(path, None, Places(), problems)


def _others(documents: Sequence[_Document], models: Sequence[Path], segments: Sequence[Path] | None) -> Others:
    """What the journeys may refer to: what ships and what is given. There may be more, in a database.

    Segments do not ship, so those given are all there are; where none are, nobody knows.
    """
    journeys = [*catalogue(), *(document.journey for document in documents if document.journey is not None)]
    known = [*shipped_models(), *read_models(models)]
    keys = _segments(segments, [model.key for model in known]) if segments else None
    return others_of([journey.key for journey in journeys], known, segments=keys, all_known=False)


def _segments(files: Sequence[Path], models: Sequence[str]) -> list[str]:
    """The keys of the segments in files, which ask for one another and for these points models only."""
    segments = read_segments(files)
    keys = [segment.key for segment in segments]
    for segment in segments:
        demand_known(segment.condition, segments=keys, models=models, places=Places(f"segment {segment.key}"))
    return keys


def _tell(document: _Document, known: KnownTemplates, others: Others) -> bool:
    """Print what is wrong or doubtful about a journey; whether it could be published."""
    if document.journey is None:
        _print_problems(document.path, document.problems, "error")
        return False
    findings = findings_of(document.journey, known, places=document.places, now=wall_clock(), beside=others)
    _print_findings(document.path, findings)
    return not any(finding.severity is Severity.ERROR for finding in findings)


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
    publications, pins = PublicationRepository(session), TemplatePins(session)
    said = []
    # In one order everywhere, so that two publications never wait for each other.
    for journey in sorted(journeys, key=lambda one: one.key):
        await repository.put_draft(journey)
        publication = await publications.publish(
            journey.key, by="cli", treatment=treatment, share=share, now=wall_clock()
        )
        said.append(publication_line(journey.key, publication))
        said += [pinned_line(journey.key, one) for one in await pins.published(publication, by="cli")]
        said += [str(finding) for finding in check_moments(journey, wall_clock())]
    keys = [journey.key for journey in journeys]
    return said + [str(finding) for finding in await check_live(session, keys, weekly_cap=Settings().weekly_cap)]


async def demand_sound(session: AsyncSession, journeys: Sequence[Journey]) -> None:
    """Raise `Invalid` where one of the journeys has errors, with the templates, journeys and models there are."""
    known = await known_templates(session)
    others = await beside(session, *(journey.key for journey in journeys), all_known=True)
    for journey in journeys:
        found = findings_of(journey, known, beside=others)
        problems = [one.problem for one in found if one.severity is Severity.ERROR]
        if problems:
            raise Invalid(f"The journey {journey.key} cannot be published; nothing was.", problems=problems)


def publish_templates(
    directory: Annotated[Path, typer.Argument(help="Folder of templates.", exists=True, file_okay=False)],
) -> None:
    """Check, compile and publish the templates of a folder: all of them or none."""
    for template in in_transaction(lambda session: templates_into(session, directory)):
        console.print(f"{template.key}: version {template.version}{' (new)' if template.changed else ''}")


def shipped_templates(folders: Sequence[Path] = ()) -> KnownTemplates:
    """What checks know of the templates that ship with the product, without a database; over them those of the folders.

    Raises:
        Invalid: a folder cannot be read as templates, or one of them cannot be published.
    """
    known = {}
    for source in (source for folder in (packaged_templates(), *folders) for source in checked_templates(folder)):
        rows = [compile_template(source, locale) for locale in LOCALES]
        required = frozenset(name for row in rows for name in row.required)
        known[source.key] = KnownTemplate(rows[0].message_class, required)
    return known


def journey_files(paths: Sequence[Path]) -> list[Path]:
    """The files named, and those in the directories named, in order.

    Raises:
        Invalid: a directory holds none, since what checks nothing would look like a check that found nothing.
    """
    return [file for path in paths for file in (_files_in(path) if path.is_dir() else [path])]


def _files_in(directory: Path) -> list[Path]:
    files = sorted([*directory.glob("*.yaml"), *directory.glob("*.yml")])
    if not files:
        problem = Problem(str(directory), "It holds no journey file.", "Name a directory with *.yaml in it, or a file.")
        raise Invalid("There is no journey to look at.", problems=[problem])
    return files


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
