"""What the languages of a reading share: enumerations, values, spans of time as numbers and units. No words."""

from collections.abc import Callable, Mapping, Sequence
from datetime import time, timedelta
from typing import Any

from journeys.spans import Span, Unit
from journeys.values import Comparison, Where, entry_reference

_SECONDS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def units_of(span: timedelta | Span) -> list[tuple[int, str]]:
    """A span as numbers of `year`, `month`, `week`, `day`, `hour`, `minute`, `second`; without the zeros."""
    if isinstance(span, Span):
        return [(span.number, Unit(span.unit).value)]
    rest, found = int(span.total_seconds()), []
    for size, unit in _SECONDS:
        number, rest = divmod(rest, size)
        found += [(number, unit)] if number else []
    return found


def listed(parts: Sequence[str], last: str) -> str:
    """`a, b and c`, where `last` is ` and `."""
    return last.join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def runs(days: frozenset[Any]) -> list[tuple[int, int]]:
    """Weekdays as runs of neighbours: Monday to Friday is (0, 4)."""
    found: list[tuple[int, int]] = []
    for day in sorted(int(day) for day in days):
        if found and found[-1][1] == day - 1:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def asked_of(where: Where, words: Callable[[str, Any], str]) -> str:
    """The comparisons of a `where` in brackets behind an event, such as ` (amount: at least 10)`; empty for none."""
    return f" ({'; '.join(words(name, asked) for name, asked in where.items())})" if where else ""


def operators_of(asked: Any) -> Mapping[str, Any]:
    """What is asked of a value, by the names of operators. A plain value asks for equality, null for absence."""
    if asked is None:
        return {"exists": False}
    return asked.operators() if isinstance(asked, Comparison) else {"equals": asked}


def same_as_entry(name: str, value: Any) -> bool:
    """Whether a property is asked to be what it was when the contact entered."""
    return entry_reference(value) == name


def clock(wall: time) -> str:
    """A time of day: `09:00`, with seconds where there are any."""
    return wall.isoformat("seconds" if wall.second else "minutes")
