"""Journeys from documents and back: the plain values that JSON and YAML both are.

Reading YAML text is in `journeys.loader`, findings beyond the shape are in `journeys.checks`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from journeys.mistakes import problems_of
from journeys.model import Journey
from journeys.places import Path, Places
from kit.errors import Invalid, Problem

DEEPEST = 100
MOST_VALUES = 20_000
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
Model = TypeVar("Model", bound=BaseModel)


def journey_from_document(document: Any, *, places: Places | None = None) -> Journey:
    """The journey a document describes. Places in problems are field paths such as `steps[2].send.template`.

    Raises:
        kit.errors.Invalid: with one problem per mistake, in the order of the document.
    """
    return from_document(Journey, document, name="journey", places=places)


def to_document(model: BaseModel) -> dict[str, Any]:
    """The document of a journey, or of another kind, as short as it can be written; read back it says the same."""
    return model.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def from_document(model: type[Model], document: Any, *, name: str, places: Places | None = None) -> Model:
    """What a document of the kind `name` describes.

    Raises:
        kit.errors.Invalid: as `journey_from_document`.
    """
    places = places or Places()
    if not isinstance(document, Mapping):
        raise not_usable(name, [Problem(places(()), f"This is no {name}.", "Write keys and values, such as `key: …`.")])
    if unusable := _unusable(document, places):
        raise not_usable(name, [unusable])
    try:
        return model.model_validate(document, by_alias=True, by_name=False)
    except ValidationError as error:
        raise not_usable(name, problems_of(error, model, document, places)) from None


def not_usable(name: str, problems: list[Problem]) -> Invalid:
    """The error for a document that cannot be used: says how many problems there are, and the first of them."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return Invalid(f"This {name} cannot be used ({count}). {problems[0]}", problems=problems)


def _unusable(document: Any, places: Places) -> Problem | None:
    """A document too deep or too large to be looked at further, or with a text that no database keeps.

    Walks without recursion, for it may be hostile.
    """
    level: list[tuple[Path, Any]] = [((), document)]
    values = 0
    for _ in range(DEEPEST + 1):
        inner = [((*path, key), value) for path, item in level for key, value in _entries(item)]
        values += len(inner)
        if values > MOST_VALUES:
            return Problem(places(()), f"There are more than {MOST_VALUES} values.", "Split it into smaller ones.")
        if (unstorable := _unstorable(inner)) is not None:
            return Problem(places(unstorable), "It holds a character that no text can hold.", "Remove that character.")
        level = [(path, value) for path, value in inner if isinstance(value, Mapping | list | tuple)]
        if not level:
            return None
    return Problem(places(()), f"It is nested deeper than {DEEPEST} levels.", "Write it flatter.")


def _entries(item: Any) -> Iterable[tuple[Any, Any]]:
    return item.items() if isinstance(item, Mapping) else enumerate(item)


def _unstorable(inner: Iterable[tuple[Path, Any]]) -> Path | None:
    """The first place with a NUL or half a surrogate pair, in a key or a value."""
    for path, value in inner:
        if any(isinstance(text, str) and _UNSTORABLE.search(text) for text in (path[-1], value)):
            return path if _UNSTORABLE.search(str(path[-1])) is None else path[:-1]
    return None
