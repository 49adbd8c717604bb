"""What is wrong with a template, before it is published: every finding with its place and its remedy."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from liquid.exceptions import LiquidError

from kit.errors import Problem
from messaging.compilation import INCLUDE
from messaging.liquid import PLAIN, parsed
from messaging.mjml_checks import mjml_problems
from messaging.models import MessageClass
from messaging.template_source import HEAD_FILE, LOCALES, TemplateSource

POSTAL_ADDRESS = "sender.postal_address"
KNOWN: Mapping[str, frozenset[str] | None] = MappingProxyType(
    {
        "contact": None,
        "entry": None,
        "steps": None,
        "latest": None,
        "sender": frozenset({"name", "address", "postal_address"}),
        "journey": frozenset({"name"}),
        "voucher": frozenset({"code", "value", "expires_at"}),
    }
)
"""What a template may speak of, and the names below it; None: any name, since attributes and events bring their own."""

_BLOCK = re.compile(r"\{%-?\s*(end)?(if|unless|case|for|tablerow|capture|comment|ifchanged)\b")


def variables_of(*sources: str) -> dict[str, int]:
    """Every variable the sources use, as `contact.first_name`, with the position of its first use in its source.

    Raises:
        LiquidError: a source is not valid Liquid.
    """
    found: dict[str, int] = {}
    for source in sources:
        for uses in parsed(source, escape=False).analyze().globals.values():
            for use in uses:
                names = [segment for segment in use.segments if isinstance(segment, str)]
                found.setdefault(".".join(names), use.span.index)
    return found


def template_problems(source: TemplateSource) -> list[Problem]:
    """All findings of one template, in the order of its files."""
    return [*_missing_files(source), *_subjects(source), *_bodies(source)]


def _missing_files(source: TemplateSource) -> Iterator[Problem]:
    for locale in LOCALES:
        if locale not in source.head.subject:
            yield Problem(
                source.path(HEAD_FILE), f"There is no subject in {locale!r}.", f"Add `subject: {{{locale}: …}}`."
            )
        if f"{locale}.mjml" not in source.texts:
            yield Problem(source.path(f"{locale}.mjml"), "This file is missing.", "Every template has every language.")
    for locale in set(source.head.subject) - set(LOCALES):
        known = ", ".join(LOCALES)
        yield Problem(source.path(HEAD_FILE), f"{locale!r} is no language of this product.", f"Languages are: {known}.")


def _subjects(source: TemplateSource) -> Iterator[Problem]:
    for locale, subject in source.head.subject.items():
        yield from _liquid_problems(subject, place=f"{source.path(HEAD_FILE)}, subject.{locale}", lines=False)


def _bodies(source: TemplateSource) -> Iterator[Problem]:
    for name, text in sorted(source.texts.items()):
        place = source.path(name)
        if name.endswith(".mjml"):
            yield from mjml_problems(text, place=place)
        yield from _liquid_problems(text, place=place)
        if name.endswith(".mjml"):
            yield from _impressum(source, text, place)
    for path, text in sorted(source.shared.items()):
        if path in _used(source):
            yield from mjml_problems(text, place=path)
            yield from _liquid_problems(text, place=path)


def _used(source: TemplateSource) -> set[str]:
    """Paths of the shared parts the template uses, directly or through another part."""
    found: set[str] = set()
    pending = [path for text in source.texts.values() for path in INCLUDE.findall(text)]
    while pending:
        path = pending.pop()
        if path not in found:
            found.add(path)
            pending += INCLUDE.findall(source.shared.get(path, ""))
    return found


def _impressum(source: TemplateSource, text: str, place: str) -> Iterator[Problem]:
    """A marketing or sales mail must say who sends it, with a postal address."""
    if source.head.message_class is MessageClass.TRANSACTIONAL:
        return
    parts = TemplateSource(source.key, source.head, {"one": text}, source.shared)
    texts = [text, *(source.shared.get(path, "") for path in _used(parts))]
    try:
        shown = POSTAL_ADDRESS in variables_of(*texts)
    except LiquidError:
        return  # reported at its own place
    if not shown:
        what = f"A {source.head.message_class} mail must show the sender's postal address."
        yield Problem(place, what, "Put {{ sender.postal_address }} into its footer.")


def _liquid_problems(text: str, *, place: str, lines: bool = True) -> Iterator[Problem]:
    def at(index: int) -> str:
        return f"{place}, line {text.count(chr(10), 0, index) + 1}" if lines else place

    try:
        used = variables_of(text)
    except LiquidError as error:
        index = error.token.start_index if error.token and error.token.start_index >= 0 else _unclosed(text)
        yield Problem(at(index), f"Liquid says: {str(error).splitlines()[0]}.", "Correct the expression.")
        return
    for name, index in used.items():
        root, _, below = name.partition(".")
        if root not in KNOWN:
            yield Problem(at(index), f"There is no variable {name!r}.", f"Variables begin with: {', '.join(KNOWN)}.")
        elif (allowed := KNOWN[root]) is not None and below not in allowed:
            names = ", ".join(f"{root}.{name}" for name in sorted(allowed))
            yield Problem(at(index), f"There is no variable {name!r}.", f"There are: {names}.")
    for name, spans in parsed(text, escape=False).analyze().filters.items():
        if name not in PLAIN.filters:
            yield Problem(at(spans[0].index), f"There is no filter {name!r}.", "Take a filter of Shopify's Liquid.")


def _unclosed(text: str) -> int:
    """Position of the innermost block that is not closed: what the parser misses at the end of the text."""
    opened: list[int] = []
    for block in _BLOCK.finditer(text):
        if not block[1]:
            opened.append(block.start())
        elif opened:
            opened.pop()
    return opened[-1] if opened else len(text)
