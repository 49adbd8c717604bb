"""`dauerlauf diagram` and `read`: a journey as a picture and as sentences, for people to talk about."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import in_transaction
from cli.publishing import LAST_VERSION
from cli.simulation.sources import find_journey
from crm.live_diagram import live_chart
from journeys.diagram import Chart, chart_of, mermaid
from journeys.drawing import svg
from journeys.reading.reading import read_journey
from journeys.reading.wording import Language
from kit.errors import Invalid, Problem


class Format(StrEnum):
    """How a picture is written."""

    MERMAID = "mermaid"
    SVG = "svg"


_WRITE: Mapping[Format, Callable[[Chart], str]] = {Format.MERMAID: mermaid, Format.SVG: svg}


def diagram(
    journey: Annotated[
        str, typer.Argument(help="A journey file, or the key of a shipped journey; with --live of a published one.")
    ],
    *,
    live: Annotated[bool, typer.Option("--live", help="As it runs in this installation, with who is where.")] = False,
    version: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=LAST_VERSION,
            help="With --live, which version; without it the live one, or else the newest.",
        ),
    ] = None,
    format: Annotated[  # noqa: A002 -- the option's name
        Format | None, typer.Option(help="mermaid, or svg; without it as the file's ending says, else mermaid.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="File to write; standard output without it.")] = None,
) -> None:
    """Draw a journey: every step and way, its entry, its goal and exits, and who is where."""
    if version is not None and not live:
        problem = Problem("--version", "A file has no versions.", "Add --live to draw what is stored here.")
        raise Invalid(problem.what, problems=[problem], remedy=problem.remedy)
    chart = (
        in_transaction(lambda session: live_chart(session, journey, version))
        if live
        else chart_of(find_journey(journey))
    )
    by_ending = Format.SVG if output is not None and output.suffix == ".svg" else Format.MERMAID
    picture = _WRITE[format or by_ending](chart)
    if output is None:
        typer.echo(picture, nl=False)
    else:
        output.write_text(picture, encoding="utf-8")


def read(
    journey: Annotated[str, typer.Argument(help="A journey file, or the key of a shipped journey.")],
    *,
    language: Annotated[Language, typer.Option(help="de or en.")] = Language.ENGLISH,
) -> None:
    """Read a journey in plain sentences: who gets in, what it is for, who leaves, what happens."""
    typer.echo(read_journey(find_journey(journey), language), nl=False)
