"""Liquid as templates may use it: limited, escaped, strict about missing variables. Which variables exist is elsewhere.

The library's limits are off by default, so they are set here; with them a hostile template ends at once.
"""

from functools import lru_cache

import liquid
from liquid.exceptions import LiquidError
from liquid.undefined import FalsyStrictUndefined

from kit.errors import Invalid


class Missing(FalsyStrictUndefined):
    """A variable without a value. It may be asked for (`{% if x %}`) and replaced (`default`), never printed."""

    force_liquid_default = True


class _Environment(liquid.Environment):
    loop_iteration_limit = 5_000
    output_stream_limit = 400_000
    local_namespace_limit = 50_000
    context_depth_limit = 15

    def __init__(self, *, escape: bool) -> None:
        super().__init__(undefined=Missing, autoescape=escape)
        for tag in ("include", "render", "increment", "decrement"):
            self.tags.pop(tag)  # shared parts are put in at publishing; counters outlive nothing here
        self.filters.pop("safe")  # would let a contact's attribute become markup


HTML = _Environment(escape=True)
PLAIN = _Environment(escape=False)


@lru_cache(maxsize=1_024)
def parsed(source: str, *, escape: bool) -> liquid.BoundTemplate:
    """The template, parsed once per process. Raises `liquid.exceptions.LiquidError`."""
    return (HTML if escape else PLAIN).from_string(source)


def fill(source: str, variables: dict[str, object], *, escape: bool, what: str) -> str:
    """The text with its variables filled in. `what` names it in the error, such as "the subject of 'welcome' (de)".

    Raises:
        Invalid: a variable without a value is printed, or an expression fails. The message quotes the template, never
            a value.
    """
    try:
        return parsed(source, escape=escape).render(**variables)
    except Exception as error:  # noqa: BLE001  filters let errors of any kind through, with the values in them
        raise _explained(error, source, what) from None


def _explained(error: Exception, source: str, what: str) -> Invalid:
    token = error.token if isinstance(error, LiquidError) else None
    expression = _expression(source, token.start_index) if token else "an expression"
    if isinstance(error, liquid.exceptions.UndefinedError):
        return Invalid(
            f"In {what}, {expression} has no value for this contact.",
            remedy="Provide the value, or put `| default: …` or `{% if … %}` into the template, then retry the step.",
        )
    return Invalid(
        f"In {what}, {expression} cannot be computed ({type(error).__name__}).",
        remedy="Mend the template, publish it, then retry the step.",
    )


def _expression(source: str, index: int) -> str:
    """The `{{ … }}` or `{% … %}` around a position, as its author wrote it."""
    start = max(source.rfind("{{", 0, index + 2), source.rfind("{%", 0, index + 2))
    end = min((found + 2 for closing in ("}}", "%}") if (found := source.find(closing, index)) >= 0), default=index)
    return f"`{source[start:end][:200]}`" if 0 <= start < end else "an expression"


__all__ = ["HTML", "PLAIN", "LiquidError", "Missing", "fill", "parsed"]
