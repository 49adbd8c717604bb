"""From what an author wrote to what is filled in per recipient: shared parts in, MJML to HTML, styles inlined.

Liquid must come through untouched, but MJML and HTML parsers would escape it or move it out of tables. So each piece
of Liquid is replaced by a token first and put back at the end.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import css_inline
import mjml

from kit.errors import Invalid, Problem

INCLUDE = re.compile(r"<mj-include\s+path=\"([^\"]*)\"\s*(?:/>|>\s*</mj-include>)")
_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
# Tags between elements, such as a loop around table rows: parsers leave a comment where it is, but not a text.
_BETWEEN_ELEMENTS = re.compile(r"(?<=>)(?:\s*\{%(?:(?!%\}).)*%\})+\s*(?=<)", re.DOTALL)
_TOKEN = re.compile(r"<!--zqliquid(\d+)qz-->|zqliquid(\d+)qz")
_NEVER = 10_000
"""Expansions after which includes must be going in circles."""

# At-rules stay (they make a mail responsive), remote style sheets are never fetched.
_INLINER = css_inline.CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)


@dataclass
class _Shield:
    """Pieces of Liquid, and the tokens that stand for them meanwhile."""

    pieces: list[str] = field(default_factory=list)

    def hide(self, source: str) -> str:
        source = _BETWEEN_ELEMENTS.sub(lambda run: _LIQUID.sub(self._comment, run.group()), source)
        return _LIQUID.sub(self._word, source)

    def _word(self, match: re.Match[str]) -> str:
        self.pieces.append(match.group())
        return f"zqliquid{len(self.pieces) - 1}qz"

    def _comment(self, match: re.Match[str]) -> str:
        return f"<!--{self._word(match)}-->"

    def restore(self, compiled: str) -> str:
        return _TOKEN.sub(lambda token: self.pieces[int(token.group(1) or token.group(2))], compiled)

    def lost(self, compiled: str) -> list[str]:
        found = {int(first or second) for first, second in _TOKEN.findall(compiled)}
        return [piece for number, piece in enumerate(self.pieces) if number not in found]


def with_shared(source: str, shared: Mapping[str, str], *, place: str) -> str:
    """The source with its `<mj-include>`s replaced by the shared parts they name.

    Raises:
        Invalid: a part does not exist, or includes itself.
    """
    for _ in range(_NEVER):
        match = INCLUDE.search(source)
        if match is None:
            return source
        path = match.group(1)
        if path not in shared:
            known = ", ".join(sorted(shared)) or "none"
            raise _invalid(Problem(place, f"There is no shared part {path!r}.", f"Shared parts are: {known}."))
        if len(source) > 1_000_000:  # noqa: PLR2004  far beyond any mail
            break
        source = source[: match.start()] + shared[path] + source[match.end() :]
    raise _invalid(Problem(place, "Its shared parts include each other without end.", "Take one of the includes out."))


def compile_html(source: str, *, place: str) -> str:
    """HTML with inlined styles, Liquid as written. No font or style is loaded from elsewhere by the result.

    Raises:
        Invalid: what the MJML compiler refuses, or Liquid that it would swallow.
    """
    shield = _Shield()
    try:
        compiled = mjml.mjml2html(shield.hide(source), fonts={})
    except ValueError as error:
        raise _invalid(
            Problem(place, f"The MJML compiler says: {error}.", "Compare with the MJML reference.")
        ) from None
    inlined = _INLINER.inline(compiled)
    if lost := shield.lost(inlined):
        remedy = "Put it into an element that shows text, or around whole elements."
        raise _invalid(Problem(place, f"{lost[0]} stands where MJML keeps no text.", remedy))
    return shield.restore(inlined)


def _invalid(problem: Problem) -> Invalid:
    return Invalid(str(problem), problems=[problem])
