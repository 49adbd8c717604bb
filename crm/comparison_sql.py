"""What `journeys.conditions.comparison` decides of one value, as SQL over JSONB. Both agree, which a test proves.

Nothing here is ever NULL: a comparison holds or not, and beside that it is decidable or not. `judge` raises where a
range is asked of what is no number; a set leaves those contacts out, whatever else is asked of them.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, false, func, literal, or_, true
from sqlalchemy.dialects.postgresql import JSONB

from journeys.values import Comparison, Scalar, Where


class Compared(NamedTuple):
    """Whether a comparison holds, and whether nobody can tell; it does not hold where nobody can."""

    holds: ColumnElement[bool]
    undecidable: ColumnElement[bool]


def compared(document: ColumnElement[Any], path: str, asked: Scalar | Comparison) -> Compared:
    """The value at `path` of a JSONB object, compared as asked. `$entry` is not known here."""
    value = value_at(document, path)
    if asked is None:
        return Compared(value.is_(None), false())
    comparison = asked if isinstance(asked, Comparison) else Comparison(equals=asked)
    return in_order([_OPERATORS[name](value, wanted) for name, wanted in comparison.operators().items()])


def compared_all(document: ColumnElement[Any], where: Where) -> Compared:
    """Every comparison of `where`, in its order."""
    return in_order([compared(document, path, asked) for path, asked in where.items()])


def in_order(parts: list[Compared]) -> Compared:
    """All of the parts, each looked at only where those before it hold: what is not looked at is no obstacle."""
    holds: ColumnElement[bool] = true()
    undecidable: ColumnElement[bool] = false()
    for part in parts:
        undecidable = or_(undecidable, and_(holds, part.undecidable))
        holds = and_(holds, part.holds)
    return Compared(holds, undecidable)


def value_at(document: ColumnElement[Any], path: str) -> ColumnElement[Any]:
    """The value at `path`; NULL where it is missing or null. A name with dots is looked for whole, then by level."""
    return func.nullif(_lookup(document, path), literal(None, JSONB), type_=JSONB)


def _lookup(document: ColumnElement[Any], path: str) -> ColumnElement[Any]:
    whole: ColumnElement[Any] = document.op("->", return_type=JSONB())(path)
    name, dot, rest = path.partition(".")
    if not dot:
        return whole
    inner = document.op("->", return_type=JSONB())(name)
    is_object = func.jsonb_typeof(inner) == "object"
    return case((document.op("?", is_comparison=True)(path), whole), (is_object, _lookup(inner, rest)))


def _same(value: ColumnElement[Any], wanted: Any) -> ColumnElement[bool]:
    return func.coalesce(value == literal(wanted, JSONB), false())


def _equals(value: ColumnElement[Any], wanted: Any) -> Compared:
    return Compared(_same(value, wanted), false())


def _not_equals(value: ColumnElement[Any], wanted: Any) -> Compared:
    return Compared(and_(value.is_not(None), ~_same(value, wanted)), false())


def _one_of(value: ColumnElement[Any], wanted: tuple[Any, ...]) -> Compared:
    missing = [value.is_(None)] if None in wanted else []
    return Compared(or_(false(), *missing, *(_same(value, choice) for choice in wanted if choice is not None)), false())


def _exists(value: ColumnElement[Any], wanted: bool) -> Compared:  # noqa: FBT001 -- the operator's operand
    return Compared(value.is_not(None) if wanted else value.is_(None), false())


def _ranged(ask: Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]]) -> "_Operator":
    def compare(value: ColumnElement[Any], wanted: Any) -> Compared:
        is_number = func.coalesce(func.jsonb_typeof(value) == "number", false())
        holds = case((is_number, ask(value, literal(wanted, JSONB))), else_=false())
        return Compared(holds, and_(value.is_not(None), ~is_number))

    return compare


_Operator = Callable[[ColumnElement[Any], Any], Compared]
_OPERATORS: Mapping[str, _Operator] = {
    "equals": _equals,
    "not_equals": _not_equals,
    "at_least": _ranged(lambda value, wanted: value >= wanted),
    "at_most": _ranged(lambda value, wanted: value <= wanted),
    "one_of": _one_of,
    "exists": _exists,
}
