"""Is this MJML well formed, and where is it not? The compiler itself tells no line and skips unknown elements."""

import re
from collections.abc import Iterator

from kit.errors import Problem

_COMPONENT = re.compile(
    r"mjml|mj-(?:"
    r"head|body|include|attributes|breakpoint|font|html-attributes|selector|html-attribute|"
    r"preview|style|title|all|class|accordion|accordion-element|accordion-title|accordion-text|"
    r"button|carousel|carousel-image|column|divider|group|hero|image|navbar|navbar-link|raw|"
    r"section|social|social-element|spacer|table|text|wrapper"
    r")"
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"<(?P<end>/?)(?P<name>mj[\w-]*)(?:\"[^\"]*\"|'[^']*'|[^<>\"'])*?(?P<empty>/?)>")


def mjml_problems(source: str, *, place: str) -> list[Problem]:
    """Unknown elements, and the first element that is closed wrongly or not at all. `place` names the file."""
    text = _COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment.group()), source)
    tags = [(match, text.count("\n", 0, match.start()) + 1) for match in _TAG.finditer(text)]
    unknown = [
        Problem(
            f"{place}, line {line}", f"MJML has no element <{match['name']}>.", "Correct it, or use plain HTML inside."
        )
        for match, line in tags
        if not _COMPONENT.fullmatch(match["name"])
    ]
    return unknown or list(_unbalanced(tags, place))


def _unbalanced(tags: list[tuple[re.Match[str], int]], place: str) -> Iterator[Problem]:
    open_elements: list[tuple[str, int]] = []
    for match, line in tags:
        if match["empty"]:
            continue
        if not match["end"]:
            open_elements.append((match["name"], line))
        elif open_elements and open_elements[-1][0] == match["name"]:
            open_elements.pop()
        else:
            yield Problem(f"{place}, line {line}", _closes_nothing(match["name"], open_elements), "Correct it.")
            return
    if open_elements:
        name, line = open_elements[-1]
        yield Problem(f"{place}, line {line}", f"<{name}> is never closed.", f"Add </{name}> where it ends.")


def _closes_nothing(name: str, open_elements: list[tuple[str, int]]) -> str:
    if not open_elements:
        return f"</{name}> closes nothing here."
    expected, opened = open_elements[-1]
    return f"</{name}> closes nothing here. </{expected}> comes first (opened in line {opened})."
