"""Journeys from documents and back: the plain values that JSON and YAML both are.

Reading YAML text is in `journeys.loader`, findings beyond the shape are in `journeys.checks`.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from journeys.mistakes import problems_of
from journeys.model import Journey
from journeys.places import Places
from kit.errors import Invalid, Problem

DEEPEST = 100
MOST_VALUES = 20_000
Model = TypeVar("Model", bound=BaseModel)


def journey_from_document(document: Any, *, places: Places | None = None) -> Journey:
    """The journey a document describes. Places in problems are field paths such as `steps[2].send.template`.

    Raises:
        kit.errors.Invalid: with one problem per mistake, in the order of the document.
    """
    return from_document(Journey, document, name="journey", places=places)


def to_document(journey: Journey) -> dict[str, Any]:
    """The document of a journey, as short as it can be written; `journey_from_document` reads the same journey."""
    return journey.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def from_document(model: type[Model], document: Any, *, name: str, places: Places | None = None) -> Model:
    """What a document of the kind `name` describes.

    Raises:
        kit.errors.Invalid: as `journey_from_document`.
    """
    places = places or Places()
    if not isinstance(document, Mapping):
        raise not_usable(name, [Problem(places(()), f"This is no {name}.", "Write keys and values, such as `key: …`.")])
    if outgrown := _outgrown(document, places):
        raise not_usable(name, [outgrown])
    try:
        return model.model_validate(document, by_alias=True, by_name=False)
    except ValidationError as error:
        raise not_usable(name, problems_of(error, model, document, places)) from None


def not_usable(name: str, problems: list[Problem]) -> Invalid:
    """The error for a document that cannot be used: says how many problems there are, and the first of them."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return Invalid(f"This {name} cannot be used ({count}). {problems[0]}", problems=problems)


def _outgrown(document: Any, places: Places) -> Problem | None:
    """A document too deep or too large to be looked at further. Walks without recursion, for it may be hostile."""
    level, values = [document], 0
    for _ in range(DEEPEST + 1):
        inner = [
            value
            for item in level
            for value in (item.values() if isinstance(item, Mapping) else item)
            if isinstance(value, Mapping | list | tuple)
        ]
        values += sum(len(item) for item in level)
        if values > MOST_VALUES:
            return Problem(places(()), f"There are more than {MOST_VALUES} values.", "Split it into smaller ones.")
        if not inner:
            return None
        level = inner
    return Problem(places(()), f"It is nested deeper than {DEEPEST} levels.", "Write it flatter.")
