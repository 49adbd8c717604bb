"""Templates of a simulation, compiled when first asked for. Nothing is published, and nothing can be sent from here."""

from collections.abc import Sequence
from functools import cache
from importlib.resources.abc import Traversable

from kit.errors import NotFound
from messaging.models import Template
from messaging.publishing import compile_template
from messaging.template_source import LOCALES, TemplateSource, packaged_templates, read_templates
from messaging.template_store import best_language

_compiled: dict[tuple[bytes, str], Template] = {}
"""Compiled templates of this process by digest and language: compiling costs more than a journey's whole walk."""


class Mailroom:
    """The templates a simulation knows: those that ship with the product, and over them those of the folders given.

    Raises:
        Invalid: a folder cannot be read as templates.
    """

    def __init__(self, folders: Sequence[Traversable] = (), *, default_locale: str) -> None:
        self._sources = dict(_shipped())
        for folder in folders:
            self._sources |= {source.key: source for source in read_templates(folder)}
        self._default_locale = default_locale

    @property
    def classes(self) -> dict[str, str]:
        """The class of every template by its key."""
        return {key: source.head.message_class.value for key, source in self._sources.items()}

    def template(self, key: str, locale: str | None) -> Template:
        """The template in the contact's language, as a published one would be chosen.

        Raises:
            NotFound: there is no such template.
            Invalid: it cannot be compiled.
        """
        source = self._sources.get(key)
        if source is None:
            known = ", ".join(sorted(self._sources))
            remedy = f"Name the folder of its template, or one of the templates known: {known}."
            raise NotFound(f"There is no template {key!r}.", remedy=remedy)
        chosen = best_language({language: language for language in LOCALES}, locale, self._default_locale)
        assert chosen is not None
        found = (source.digest, chosen)
        if found not in _compiled:
            _compiled[found] = compile_template(source, chosen)
        return _compiled[found]


@cache
def _shipped() -> dict[str, TemplateSource]:
    return {source.key: source for source in read_templates(packaged_templates())}
