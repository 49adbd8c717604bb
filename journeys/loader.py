"""Journeys from YAML text (1.2), and nothing else of it: no tags, no several documents, no key twice.

The only module that knows a YAML library. It reads texts into plain values and remembers the line of each, so that
every problem says where it is. What the values mean is in `journeys.documents`.
"""

from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path as FilePath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from journeys.documents import (
    DEEPEST,
    MOST_VALUES,
    Model,
    from_document,
    journey_from_document,
    not_usable,
    to_document,
)
from journeys.model import Journey
from journeys.places import Path, Places
from kit.errors import Problem

LARGEST = 256 * 1024
_TAG = "tag:yaml.org,2002:"
_SCALARS = frozenset(f"{_TAG}{name}" for name in ("int", "float", "bool", "null"))
_TEXTS = frozenset({f"{_TAG}str", f"{_TAG}timestamp", f"{_TAG}merge", f"{_TAG}value"})


def load_journey(text: str, *, source: str = "") -> Journey:
    """The journey written in a YAML text. JSON is YAML, too.

    Args:
        text: the document; at most 256 KiB.
        source: what to call it in problems, such as the file's name.

    Raises:
        kit.errors.Invalid: with a problem for each mistake: file, line and field; what is wrong; how to mend it.
    """
    return load_with_places(text, source=source)[0]


def load_with_places(text: str, *, source: str = "") -> tuple[Journey, Places]:
    """The journey, and the places its findings from `journeys.checks` are to be told with.

    Raises:
        kit.errors.Invalid: as `load_journey`.
    """
    document, places = load_document(text, source=source, name="journey")
    return journey_from_document(document, places=places), places


def load_file(path: FilePath) -> Journey:
    """The journey in a file; problems name the file without its folders.

    Raises:
        kit.errors.Invalid: as `load_journey`, and where the file cannot be read.
    """
    return load_journey(read_text(path, name="journey"), source=path.name)


def read_text(path: FilePath | Traversable, *, name: str) -> str:
    """The text of a file that an author has written; `name` is what the document is called.

    Raises:
        kit.errors.Invalid: the file cannot be read, or is not UTF-8, as files with umlauts from older editors are.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        what = f"The file cannot be read: {error.strerror}."
        raise not_usable(name, [Problem(path.name, what, "Check the path and its permissions.")]) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise not_usable(name, [Problem(path.name, "It is not UTF-8 text.", "Save it as UTF-8.")]) from None


def load_model(model: type[Model], text: str, *, name: str, source: str = "") -> Model:
    """Another document of the product, such as a points model, read by the same rules.

    Raises:
        kit.errors.Invalid: as `load_journey`.
    """
    document, places = load_document(text, source=source, name=name)
    return from_document(model, document, name=name, places=places)


def load_document(text: str, *, source: str = "", name: str = "document") -> tuple[Any, Places]:
    """The plain values of a YAML text, and where each was written. Dates stay texts.

    Raises:
        kit.errors.Invalid: the text is no YAML that this product reads; `name` is what it calls the document.
    """
    if refusal := _refusal(text):
        raise not_usable(name, [Problem(source or "the document", *refusal)])
    try:
        root = _reader().compose(text.removeprefix("\ufeff"))
    except RecursionError:
        raise not_usable(name, [_too_deep(Places(source)(()))]) from None
    except YAMLError as error:
        raise not_usable(name, [_syntax_problem(error, source)]) from None
    if root is None:
        raise not_usable(name, [Problem(source or "the document", "It is empty.", f"Write a {name} into it.")])
    values = _Values(source)
    document = values.read(root, ())
    if values.problems:
        raise not_usable(name, values.problems)
    return document, Places(source, values.lines)


def _refusal(text: str) -> tuple[str, str] | None:
    """Why a text is not even parsed, and the remedy."""
    if len(text.encode("utf-8", "replace")) > LARGEST:
        return f"It is larger than {LARGEST // 1024} KiB.", "Split it into smaller ones."
    if any(line.startswith("%") for line in text.split("\n")):
        return "It has a YAML directive, a line that begins with `%`.", "Remove that line; YAML 1.2 is read."
    return None


def _reader() -> YAML:
    return YAML(typ="safe", pure=True)


@dataclass
class _Values:
    """Turns composed nodes into plain values; collects lines and problems."""

    source: str
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    count: int = 0

    def read(self, node: Node, path: Path) -> Any:
        """The plain value of a node. An alias is read again at each place it stands, within the limits."""
        self.lines.setdefault(path, node.start_mark.line + 1)
        self.count += 1
        if len(path) > DEEPEST or self.count > MOST_VALUES:
            self._refuse_size(path)
            return None
        match node:
            case MappingNode() if node.tag == f"{_TAG}map":
                return self._mapping(node, path)
            case SequenceNode() if node.tag == f"{_TAG}seq":
                return [self.read(item, (*path, number)) for number, item in enumerate(node.value)]
            case ScalarNode() if node.tag in _TEXTS | _SCALARS:
                return self._scalar(node, path)
        self._refuse(path, f"The tag {node.tag} is not allowed.", "Remove it and write the plain value.")
        return None

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = _joined_surrogates(key_node.value) if isinstance(key_node, ScalarNode) else "?"
            if not isinstance(key_node, ScalarNode) or key_node.tag not in _TEXTS:
                self.lines.setdefault((*path, key), line)
                self._refuse((*path, key), "A key must be a text.", "Put it in quotes.")
            elif key in found:
                where = Places(self.source, {(*path, key): line})((*path, key))
                what = f"`{key}` stands here twice; first in line {self.lines[(*path, key)]}."
                self.problems.append(Problem(where, what, "Remove one of them."))
            else:
                self.lines[(*path, key)] = line
                found[key] = self.read(value_node, (*path, key))
        return found

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        if node.tag in _TEXTS:
            return _joined_surrogates(node.value)
        try:
            return _reader().constructor.construct_object(node)
        except (ValueError, YAMLError):
            self._refuse(path, f"{node.value[:60]!r} cannot be read.", "Put it in quotes if it is a text.")
            return None

    def _refuse_size(self, path: Path) -> None:
        if len(path) > DEEPEST:
            self.problems[:] = [_too_deep(Places(self.source, self.lines)(()))]
        else:
            what = f"There are more than {MOST_VALUES} values."
            self.problems[:] = [Problem(self.source or "the document", what, "Use fewer aliases, or split it.")]

    def _refuse(self, path: Path, what: str, remedy: str) -> None:
        self.problems.append(Problem(Places(self.source, self.lines)(path), what, remedy))


def _joined_surrogates(text: str) -> str:
    # JSON writes characters beyond the first plane as two escapes, which YAML reads as two halves.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _too_deep(where: str) -> Problem:
    return Problem(where, f"It is nested deeper than {DEEPEST} levels.", "Write it flatter.")


def _syntax_problem(error: YAMLError, source: str) -> Problem:
    """What the YAML library found, in a sentence, at its line."""
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    line = mark.line + 1 if mark else None
    where = ", ".join(part for part in (source, f"line {line}" if line else "") if part) or "the document"
    found = str(getattr(error, "problem", None) or "It holds characters that YAML does not allow")
    for sign, what, remedy in _KNOWN_FAULTS:
        if sign in found:
            return Problem(where, what, remedy)
    return Problem(where, f"This is not valid YAML: {found}.", "Check indentation, colons and quotes in and above it.")


_KNOWN_FAULTS = (
    ("'\\t'", "A tab stands where spaces must.", "Indent with spaces."),
    ("another document", "A second document begins here.", "Keep one document per file; remove the line `---`."),
    ("undefined alias", "The alias names no anchor above it.", "Write the value itself."),
    ("end of stream", "Something that was opened above is not closed.", "Look for a missing quote or bracket."),
    (
        "mapping values are not allowed",
        "A colon stands where none can.",
        "Put the text in quotes, or check indentation.",
    ),
)

__all__ = [
    "journey_from_document",
    "load_document",
    "load_file",
    "load_journey",
    "load_model",
    "load_with_places",
    "to_document",
]
