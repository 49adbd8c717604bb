"""Journeys by what people call them: a file, or the key of one that ships with the product."""

from collections.abc import Iterable
from pathlib import Path

from journeys.catalogue import catalogue
from journeys.checks import check
from journeys.findings import Severity
from journeys.loader import load_file, load_model, read_text
from journeys.model import Journey
from journeys.scoring import PointsModel
from kit.errors import Invalid, NotFound


def find_journey(name: str | Path, *, folders: Iterable[Path] = ()) -> Journey:
    """The journey in a file, looked for in these folders and the working directory; else the shipped one of that key.

    Raises:
        NotFound: there is neither; says which shipped journeys there are.
        Invalid: the journey has mistakes, each with its place.
    """
    for folder in (*folders, Path()):
        path = folder / name
        if path.is_file():
            return sound(load_file(path))
    shipped = {journey.key: journey for journey in catalogue()}
    if str(name) in shipped:
        return shipped[str(name)]
    remedy = f"Name a file, or a shipped journey: {', '.join(shipped)}."
    raise NotFound(f"There is no journey {str(name)!r}, neither as a file nor shipped.", remedy=remedy)


def sound(journey: Journey) -> Journey:
    """The journey itself, where the checks that need no templates find no error in it.

    Raises:
        Invalid: they do.
    """
    errors = [finding.problem for finding in check(journey, None) if finding.severity is Severity.ERROR]
    if errors:
        told = " ".join(map(str, errors))
        raise Invalid(f"The journey {journey.key} has errors. {told}", problems=errors)
    return journey


def read_models(files: Iterable[Path]) -> list[PointsModel]:
    """The points models in files.

    Raises:
        Invalid: one of them has mistakes, each with its place.
    """
    name = "points model"
    return [load_model(PointsModel, read_text(file, name=name), name=name, source=file.name) for file in files]
