"""Templates as their authors write them: a folder of files per key, and parts shared by all. Reading only.

welcome/template.yaml     class, subject per language, description
welcome/de.mjml           the mail in German; the same for every language
welcome/de.txt            its plain text, where the one made from the HTML will not do
_shared/*.mjml            parts, put in by <mj-include path="_shared/footer.de.mjml" />
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated

from pydantic import Field, StringConstraints

from journeys.loader import load_model, read_text
from journeys.values import Strict
from kit.errors import Invalid, Problem
from messaging.models import MessageClass

LOCALES = ("de", "en")
"""Languages every template is written in."""
HEAD_FILE = "template.yaml"
PIPELINE = b"1"
"""Part of every digest: raised when compilation changes, so that all templates are published anew."""

Subject = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class TemplateHead(Strict):
    """The file `template.yaml`. `subject` is Liquid, per language."""

    message_class: MessageClass = Field(alias="class")
    subject: dict[str, Subject]
    description: str = ""


@dataclass(frozen=True)
class TemplateSource:
    """One template: its head, and its files by name. `shared` holds the parts of all templates by path."""

    key: str
    head: TemplateHead
    texts: Mapping[str, str] = field(default_factory=dict)
    shared: Mapping[str, str] = field(default_factory=dict)

    def path(self, name: str) -> str:
        """Where a file stands, for people."""
        return f"{self.key}/{name}"

    @property
    def digest(self) -> bytes:
        """SHA-256 of everything a published version is made from."""
        parts = [self.head.model_dump_json(), *(f"{name}\0{text}" for name, text in sorted(self.texts.items()))]
        parts += [f"{name}\0{text}" for name, text in sorted(self.shared.items())]
        return hashlib.sha256(PIPELINE + "\0\0".join(parts).encode()).digest()


def packaged_templates() -> Traversable:
    """The templates that come with the product."""
    return files("messaging") / "templates"


def read_templates(folder: Traversable) -> list[TemplateSource]:
    """All templates of a folder, by key.

    Raises:
        Invalid: heads that cannot be used, each with its place; or no template at all.
    """
    folders = sorted((entry for entry in folder.iterdir() if entry.is_dir()), key=lambda entry: entry.name)
    shared = {
        f"{entry.name}/{name}": text
        for entry in folders
        if entry.name.startswith("_")
        for name, text in _texts(entry, ".mjml").items()
    }
    found: list[TemplateSource] = []
    problems: list[Problem] = []
    for entry in folders:
        if not entry.name.startswith(("_", ".")):
            try:
                found.append(_read(entry, shared))
            except Invalid as error:
                problems += error.problems
    if problems or not found:
        problems = problems or [Problem("templates", "There is no template.", "Add a folder with a template.yaml.")]
        raise Invalid("The templates cannot be read.", problems=problems)
    return found


def _read(folder: Traversable, shared: Mapping[str, str]) -> TemplateSource:
    head_file = folder / HEAD_FILE
    place = f"{folder.name}/{HEAD_FILE}"
    if not head_file.is_file():
        raise Invalid("No head.", problems=[Problem(place, "This file is missing.", "Write class and subject in it.")])
    head = load_model(TemplateHead, read_text(head_file, name="template"), name="template", source=place)
    return TemplateSource(folder.name, head, _texts(folder, ".mjml", ".txt"), shared)


def _texts(folder: Traversable, *endings: str) -> dict[str, str]:
    return {entry.name: read_text(entry, name="template") for entry in folder.iterdir() if entry.name.endswith(endings)}
