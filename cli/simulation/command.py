"""`dauerlauf simulate`: journeys walked to their end with a pretended contact, and told line by line."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.segments import read_segments
from cli.simulation.obliging import oblige
from cli.simulation.simulation import Simulation
from cli.simulation.sources import find_journey, read_models
from cli.simulation.stage import Stage, open_stage
from cli.simulation.timeline import lines, standing
from cli.simulation.world import World
from journeys.documents import from_document
from journeys.loader import load_document, load_model, read_text
from journeys.model import Journey
from journeys.outcomes import JourneyState
from journeys.reading.wording import Language
from journeys.simulate import (
    PretendedContact,
    Script,
    ScriptedEvent,
    example_entry,
    example_properties,
    parse_moment,
)
from journeys.timing import zone_or_default
from kit.clock import wall_clock
from kit.errors import Invalid
from kit.settings import Settings

_FAR = timedelta(days=5 * 366)
_AHEAD = timedelta(days=30)
"""How far ahead an example date lies, such as that of a webinar."""
_CONTACT = "pretended contact"

Contact = Annotated[
    list[str] | None,
    typer.Option(help="Who walks it: a file (YAML), or key=value; more than once. Values are read as YAML."),
]
Events = Annotated[Path | None, typer.Option(help="What happens to the contact: a file (YAML).", exists=True)]
Start = Annotated[
    str, typer.Option(help='When it begins, in the contact\'s zone: "2026-03-02 10:00"; now unless told.')
]
Templates = Annotated[list[Path] | None, typer.Option(help="Folders of mail templates.", exists=True, file_okay=False)]
Models = Annotated[list[Path] | None, typer.Option(help="Files of points models.", exists=True, dir_okay=False)]
Segments = Annotated[list[Path] | None, typer.Option(help="Files of segments.", exists=True, dir_okay=False)]
console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Play:
    """All that is asked for."""

    journey: Journey
    contact: PretendedContact
    start: datetime
    script: Sequence[ScriptedEvent]
    templates: Sequence[Path]
    models: Sequence[Path]
    segments: Sequence[Path] = ()
    made_up: Sequence[str] = ()
    """What the contact was given because the audience asks for it."""


def simulate(
    journeys: Annotated[list[str], typer.Argument(help="Journey files, or keys of shipped journeys.")],
    *,
    contact: Contact = None,
    events: Events = None,
    start: Start = "",
    templates: Templates = None,
    models: Models = None,
    segments: Segments = None,
    language: Annotated[Language, typer.Option(help="Of the timeline: en or de. Reasons are in English.")] = (
        Language.ENGLISH
    ),
) -> None:
    """Walk journeys to their end with the real workflow, skipping every wait. Nothing is sent, nothing is stored.

    Each is walked by itself. Several take one server, and little longer than one.

    Of whom nothing is said about consents, has all those that the audience cannot do without, and so with lists; the
    output says which.
    Ends with exit code 1 where one of them needs attention, or was never entered.
    """
    given, begin = read_contact(contact or []), parse_start(start) if start else _next_minute()
    script = read_script(events) if events else ()
    plays = []
    for one in journeys:
        found = find_journey(one)
        pretended, made_up = oblige(given, found)
        at = _where_they_live(begin, pretended, found)
        plays.append(Play(found, pretended, at, script, templates or (), models or (), segments or (), made_up))
    played = asyncio.run(_play(plays))
    for number, (play, (world, took)) in enumerate(zip(plays, played, strict=True)):
        console.print("\n" if number else "", end="")
        for one in play.made_up:
            console.print(f"Made up: {one}, as the audience asks.", markup=False)
        _tell(world, took, language)
    raise typer.Exit(0 if all(_ended_well(world) for world, _ in played) else 1)


def _where_they_live(moment: datetime, contact: PretendedContact, journey: Journey) -> datetime:
    """The moment, in the contact's zone where it names none."""
    settings = Settings().in_zone(journey.time_zone)
    zone, _ = zone_or_default(contact.attributes.get("time_zone"), settings.default_time_zone)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _next_minute() -> datetime:
    return wall_clock().replace(second=0, microsecond=0) + timedelta(minutes=1)


def read_contact(given: Sequence[str]) -> PretendedContact:
    """The contact that files and `key=value` describe together; the later wins.

    Raises:
        Invalid: with each mistake and its place.
    """
    document: dict[str, Any] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if equals:
            document[name.strip()] = load_document(value or "null", source=name, name="value")[0]
        else:
            document |= _mapping(Path(one))
    return from_document(PretendedContact, document, name=_CONTACT)


def _mapping(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise Invalid(f"There is no file {path}.", remedy="Name a YAML file, or write key=value.")
    document, _ = load_document(read_text(path, name=_CONTACT), source=path.name, name=_CONTACT)
    if not isinstance(document, Mapping):
        raise Invalid(f"{path.name} is no description of a contact.", remedy="Write `key: value`, one per line.")
    return document


def read_script(path: Path) -> Sequence[ScriptedEvent]:
    """The events of a file.

    Raises:
        Invalid: with each mistake and its place.
    """
    return load_model(Script, read_text(path, name="list of events"), name="list of events", source=path.name).events


def parse_start(text: str) -> datetime:
    """A moment; naive where no zone is given.

    Raises:
        Invalid: it is none.
    """
    try:
        moment: datetime = parse_moment(text)
    except ValueError as error:
        raise Invalid(f"--start: {error}") from None
    return moment


async def _play(plays: Sequence[Play]) -> list[tuple[World, float]]:
    """Play them, one after the other; of each the world afterwards and the real seconds it took."""
    async with open_stage() as stage:
        return [await _play_on(stage, play) for play in plays]


async def _play_on(stage: Stage, play: Play) -> tuple[World, float]:
    began = time.monotonic()
    simulation = Simulation.prepare(
        stage,
        play.journey,
        play.contact,
        start=play.start,
        templates=play.templates,
        models=read_models(play.models),
        segments=read_segments(play.segments),
    )
    try:
        await _walk(simulation, play)
    finally:
        await simulation.close()
    return simulation.world, time.monotonic() - began


async def _walk(simulation: Simulation, play: Play) -> None:
    if not play.script:
        await _enter(simulation, play.journey, date=(play.start + _AHEAD).isoformat())
    zone = simulation.world.zone
    for happening in sorted(play.script, key=lambda one: one.occurs(play.start, zone)):
        await simulation.advance_to(happening.occurs(play.start, zone))
        await simulation.event(happening.event, happening.properties)
    await simulation.finish(until=play.start + _FAR)


async def _enter(simulation: Simulation, journey: Journey, *, date: str) -> None:
    """Without a script the contact enters with properties that the journey asks for, and nothing else happens.

    A date that it waits for is `date`. For an absence it does the last time what it then fails to do.
    """
    properties, entry = example_entry(journey, date=date), journey.entry
    if entry.absence:
        await simulation.event(entry.absence.of[0], example_properties(entry.absence.where))
    elif entry.segment:
        await simulation.change_segment(entry.segment.segment, member=entry.segment.entered is not None)
    elif entry.criterion:
        await simulation.event(entry.criterion.event, properties)
    else:
        await simulation.enroll(properties)


def _tell(world: World, took: float, language: Language) -> None:
    contact = world.record.contact
    console.print(f"{world.journey.name}: {contact.email or 'a contact without an address'}, times in {world.zone}")
    for line in lines(world, language):
        console.print(line, markup=False)
    for line in standing(world):
        console.print(f"In the end: {line}", markup=False)
    if not world.rides:
        console.print("In the end: the contact is not in the journey", markup=False)
    for mail in world.mails:
        console.print(f"Would be sent: {mail.template} ({mail.locale}): {mail.subject}", markup=False)
    console.print(f"Walked in {took:.2f} s, after the server had started.")


def _ended_well(world: World) -> bool:
    return bool(world.rides) and all(ride.state is not JourneyState.NEEDS_ATTENTION for ride in world.rides.values())
