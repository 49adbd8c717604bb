"""Comparing properties with what a journey asks of them: equality, ranges, choices, presence, `$entry.x`.

The one place where values meet. Rules, the same for events, attributes and entry properties:
a property that is missing or null matches only `exists: false` (a plain null means that); true and false equal no
number; text equals no number; ranges compare numbers only, and asking one of anything else is an error.
The sentences say names and never the values compared, so they may leave PostgreSQL.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from journeys.refusals import kind_of, shown
from journeys.values import Comparison, Scalar, Where, entry_reference, is_step_reference
from kit.errors import Invalid, Problem


def matches(where: Where, properties: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether the properties satisfy every comparison of `where`; an empty one is satisfied.

    `entry` holds the properties of the event the enrollment started with, for `$entry.x`.

    Raises:
        kit.errors.Invalid: a range is asked of a property that is no number.
    """
    return unmatched(where, properties, entry) is None


def unmatched(where: Where, properties: Mapping[str, Any], entry: Mapping[str, Any]) -> str | None:
    """Why the properties do not satisfy `where`, as half a sentence without values; None where they do.

    Raises:
        kit.errors.Invalid: as `matches`.
    """
    reasons = (mismatch(f"property '{name}'", lookup(properties, name), asked, entry) for name, asked in where.items())
    return next((reason for reason in reasons if reason is not None), None)


def lookup(properties: Mapping[str, Any], path: str) -> Any:
    """The value at `path`; None where it is missing. A name with dots is looked for whole, then level by level."""
    if path in properties:
        return properties[path]
    name, dot, rest = path.partition(".")
    inner = properties.get(name)
    return lookup(inner, rest) if dot and isinstance(inner, Mapping) else None


def resolve(value: Any, entry: Mapping[str, Any]) -> Any:
    """The value itself, or what `$entry.x` stands for; None where the entry has no such property.

    A `$step.…` that is still here stands for nothing: its step has met no event with such a property.
    """
    if is_step_reference(value):
        return None
    reference = entry_reference(value)
    return value if reference is None else lookup(entry, reference)


def mismatch(name: str, value: Any, asked: Scalar | Comparison, entry: Mapping[str, Any]) -> str | None:
    """Why `value`, called `name` in the sentence, is not as asked; None where it is.

    Raises:
        kit.errors.Invalid: a range is asked of a value that is no number.
    """
    if asked is None:
        return None if value is None else f"{name} is present"
    comparison = asked if isinstance(asked, Comparison) else Comparison(equals=asked)
    for operator, wanted in comparison.operators().items():
        reason = _OPERATORS[operator](name, value, wanted, entry)
        if reason is not None:
            return str(reason)
    return None


def _equals(name: str, value: Any, wanted: Any, entry: Mapping[str, Any]) -> str | None:
    if value is None:
        return f"{name} is missing"
    target = resolve(wanted, entry)
    if target is None:
        return f"{_absent(wanted)} to compare {name} with"
    if _same(value, target):
        return None
    if kind_of(value) != kind_of(target):
        return f"{name} is {kind_of(value)}, not {kind_of(target)} as asked"
    return f"{name} differs from what is asked"


def _absent(wanted: Any) -> str:
    reference = entry_reference(wanted)
    return f"the entry has no '{reference}'" if reference is not None else f"there is no {str(wanted).lstrip('$')}"


def _not_equals(name: str, value: Any, wanted: Any, entry: Mapping[str, Any]) -> str | None:
    if value is None:
        return f"{name} is missing"
    target = resolve(wanted, entry)
    if target is None:
        return f"{_absent(wanted)} to compare {name} with"
    return f"{name} is what is ruled out" if _same(value, target) else None


def _one_of(name: str, value: Any, wanted: Any, entry: Mapping[str, Any]) -> str | None:
    if value is None:
        return None if None in wanted else f"{name} is missing"
    if any(_same(value, resolve(choice, entry)) for choice in wanted):
        return None
    return f"{name} is none of the {len(wanted)} values asked for"


def _at_least(name: str, value: Any, wanted: Any, _: Mapping[str, Any]) -> str | None:
    if value is None:
        return f"{name} is missing"
    return None if _number(name, value, "at_least") >= wanted else f"{name} is below what is asked at least"


def _at_most(name: str, value: Any, wanted: Any, _: Mapping[str, Any]) -> str | None:
    if value is None:
        return f"{name} is missing"
    return None if _number(name, value, "at_most") <= wanted else f"{name} is above what is asked at most"


def _exists(name: str, value: Any, wanted: Any, _: Mapping[str, Any]) -> str | None:
    if wanted == (value is not None):
        return None
    return f"{name} is missing" if wanted else f"{name} is present"


_OPERATORS = {
    "equals": _equals,
    "not_equals": _not_equals,
    "at_least": _at_least,
    "at_most": _at_most,
    "one_of": _one_of,
    "exists": _exists,
}


def _same(value: Any, target: Any) -> bool:
    # Python takes True for 1; a producer that writes true does not mean one.
    return isinstance(value, bool) == isinstance(target, bool) and bool(value == target)


def _number(name: str, value: Any, operator: str) -> Any:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    what = f"`{operator}` compares numbers, and {name} is {kind_of(value)}."
    remedy = "Let the producer send a number, or ask for equality with `equals` or `one_of`."
    raise Invalid(what, problems=[Problem(where=name, what=what, remedy=remedy)], remedy=remedy)


def operands(asked: Scalar | Comparison) -> list[Any]:
    """The single values that are compared with."""
    given = asked.operators().values() if isinstance(asked, Comparison) else [asked]
    return [value for one in given for value in (one if isinstance(one, tuple) else (one,))]


def describe_asked(asked: Scalar | Comparison) -> str:
    """What is asked of a property, in words, with the values the author wrote: `is at least 3`."""
    if asked is None:
        return "is missing"
    if not isinstance(asked, Comparison):
        return f"is {_value(asked)}"
    words = {
        "equals": "is {}",
        "not_equals": "is not {}",
        "at_least": "is at least {}",
        "at_most": "is at most {}",
        "one_of": "is one of {}",
    }
    given = asked.operators()
    parts = [words[name].format(_value(value)) for name, value in given.items() if name != "exists"]
    if "exists" in given:
        parts.append("is set" if given["exists"] else "is missing")
    return " and ".join(parts)


def describe_where(where: Where) -> str:
    """The comparisons of a `where` in words, empty where there are none: ` with product_id is …`."""
    if not where:
        return ""
    return " where " + " and ".join(f"{name} {describe_asked(asked)}" for name, asked in where.items())


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(_value(choice) for choice in value)
    reference = entry_reference(value)
    return shown(value) if reference is None else f"the entry's {reference}"
