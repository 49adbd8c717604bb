"""What is wrong with the shape of a document, as one problem per real mistake: place, what is wrong, how to mend it.

Translates the findings of pydantic, which speaks of unions, tags and validators, into sentences for authors.
What is wrong beyond the shape is found in `journeys.checks`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from journeys.places import Path, Places
from journeys.refusals import REFUSED, kind_of, shown
from journeys.shapes import allowed_keys, written_path
from kit.errors import Problem

MOST_REPORTED = 50


def problems_of(error: ValidationError, model: type[BaseModel], document: Any, places: Places) -> list[Problem]:
    """The problems behind a failed validation of `document` as `model`, in the order of the document, 50 at most."""
    found: dict[Path, Problem] = {}
    misspelt: set[Path] = set()
    for detail in sorted(_details(error, document, model), key=lambda item: item[1]["type"] != "extra_forbidden"):
        path, finding = detail
        if path in found or path in misspelt:
            continue
        what, remedy, meant = _sentences(model, path, finding)
        if meant:
            misspelt.add((*path[:-1], meant))
        found[path] = Problem(where=places(path), what=what, remedy=remedy)
    return [found[path] for path in _ordered(found, document)][:MOST_REPORTED]


def _details(error: ValidationError, document: Any, model: type[BaseModel]) -> Iterator[tuple[Path, ErrorDetails]]:
    """Each finding with the path as written. Left out: "too short" where items are there and only failed themselves."""
    for detail in error.errors(include_url=False):
        path = written_path(model, detail["loc"])
        written = _at(document, path)
        emptied = detail["type"] == "too_short" and isinstance(written, Sequence) and len(written) > 0
        if not emptied:
            yield path, detail


def _sentences(model: type[BaseModel], path: Path, detail: ErrorDetails) -> tuple[str, str, str | None]:
    """What is wrong, the remedy, and the key that was meant where one is misspelt."""
    kind, value = detail["type"], detail["input"]
    context: Mapping[str, Any] = detail.get("ctx", {})
    if kind == "extra_forbidden":
        keys = allowed_keys(model, detail["loc"][:-1])
        meant = nearest(str(path[-1]), keys)
        remedy = f"Did you mean `{meant}`?" if meant else f"Allowed here: {', '.join(keys)}."
        return f"`{path[-1]}` is not a key that can stand here.", remedy, meant
    if kind == "missing":
        return f"`{path[-1]}` is missing.", f"Add `{path[-1]}`.", None
    if kind == REFUSED:
        return _sentence(context["what"]), context["remedy"], None
    what, remedy = _plain(kind, value, context, detail["msg"])
    return _sentence(what), _sentence(remedy), None


def _plain(kind: str, value: Any, context: Mapping[str, Any], message: str) -> tuple[str, str]:
    """What is wrong and the remedy, by the kind of pydantic's finding."""
    if kind in _TELLERS:
        return _TELLERS[kind](value, context)
    if kind in _NAMED_BY_US:
        what, _, remedy = message.partition(": ")
        return f"{shown(value)} is {what}" if kind == "again_kind" else f"this is {what}", _meant_kind(value, remedy)
    return f"{shown(value)} cannot stand here: {message}", ""


def _meant_kind(value: Any, remedy: str) -> str:
    """The remedy, with the key that was meant put before it where one is misspelt."""
    known = remedy.removeprefix(_GIVE_ONE_OF).split(", ")
    keys = [str(key) for key in value] if isinstance(value, Mapping) else []
    meant = next((near for key in keys if (near := nearest(key, known))), None)
    sentence = _sentence(remedy)
    return f"Did you mean `{meant}`? {sentence}" if meant else sentence


_GIVE_ONE_OF = "give it one of the keys "
_NAMED_BY_US = frozenset({"step_kind", "condition_kind", "again_kind", "wait_form", "awaited_kind"})


def _needs_text(value: Any, _: Mapping[str, Any]) -> tuple[str, str]:
    simple = isinstance(value, int | float | bool)
    remedy = f'Put it in quotes: "{str(value)[:60]}"' if simple else "Write a text"
    return f"{kind_of(value)} stands where a text must", remedy


def _needs_name(value: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    remedy = "Write a name that begins with a visible character, such as `order.placed`"
    if r"\." in context["pattern"]:
        return (
            f"{shown(value)} names no property of a step",
            "Write the step's id, a dot and the property: `paid.amount`",
        )
    if context["pattern"].startswith("^[a-z]"):
        remedy = "Use lower case letters, digits and single hyphens, such as `review-request`"
    return f"{shown(value)} cannot be used as a name here", remedy


def _needs_choice(value: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    allowed = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
    meant = nearest(value, allowed) if isinstance(value, str) else None
    remedy = f"Did you mean {meant}? Allowed" if meant else "Allowed"
    return f"{shown(value)} is not one of the words that can stand here", f"{remedy}: {', '.join(allowed)}"


def _too_long(_: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    return "this is too long", f"At most {context['max_length']} are allowed"


def _too_short(_: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    return "this is empty or too short", f"Give at least {context['min_length']}"


def _too_small(value: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    return f"{shown(value)} is too small", f"Write {context['ge']} or more"


def _too_large(value: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    return f"{shown(value)} is too large", f"Write {context['le']} or less"


def _not_above(value: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    return f"{shown(value)} is too small", f"Write more than {context['gt']}"


def _not_below(value: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    return f"{shown(value)} is too large", f"Write less than {context['lt']:g}"


def _needs_object(value: Any, _: Mapping[str, Any]) -> tuple[str, str]:
    return f"{kind_of(value)} stands where keys and values must", "Write `key: value`, indented below"


def _needs_list(value: Any, _: Mapping[str, Any]) -> tuple[str, str]:
    return f"{kind_of(value)} stands where a list must", "Begin each item with a hyphen"


def _needs_number(value: Any, _: Mapping[str, Any]) -> tuple[str, str]:
    return f"{kind_of(value)} stands where a whole number must", "Write a number without quotes"


_TELLERS: Mapping[str, Callable[[Any, Mapping[str, Any]], tuple[str, str]]] = {
    "string_type": _needs_text,
    "string_pattern_mismatch": _needs_name,
    "enum": _needs_choice,
    "literal_error": _needs_choice,
    "string_too_long": _too_long,
    "too_long": _too_long,
    "string_too_short": _too_short,
    "too_short": _too_short,
    "greater_than_equal": _too_small,
    "less_than_equal": _too_large,
    "greater_than": _not_above,
    "less_than": _not_below,
    "model_type": _needs_object,
    "model_attributes_type": _needs_object,
    "mapping_type": _needs_object,
    "dict_type": _needs_object,
    "tuple_type": _needs_list,
    "list_type": _needs_list,
    "int_type": _needs_number,
    "float_type": _needs_number,
}


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that `word` may be a misspelling of, or None."""
    found = get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else None


def _sentence(text: str) -> str:
    """With a capital at the start and a full stop at the end."""
    text = text[:1].upper() + text[1:]
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."


def _at(document: Any, path: Path) -> Any:
    for part in path:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def _ordered(found: Mapping[Path, Problem], document: Any) -> list[Path]:
    """The paths in the order their parts are written in; missing ones last among their neighbours."""

    def position(path: Path) -> list[int]:
        places, current = [], document
        for part in path:
            keys = list(current) if isinstance(current, Mapping) else []
            places.append(part if isinstance(part, int) else keys.index(part) if part in keys else len(keys))
            current = _at(current, (part,))
        return places

    return sorted(found, key=position)
