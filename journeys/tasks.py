"""What journeys and tasks have to do with one another: the events of a task, whose they are, and its texts. Pure.

A task is something a person does. Storing it is in `crm.tasks`.
"""

import re
from collections.abc import Mapping
from typing import Any

from journeys.conditions.comparison import lookup
from journeys.values import Where

TASK_CREATED, TASK_DONE, TASK_CANCELLED = "task.created", "task.done", "task.cancelled"
TASK_EVENTS = frozenset({TASK_CREATED, TASK_DONE, TASK_CANCELLED})
"""Properties: `task` (id), `kind`, `step`, `journey`, `enrollment`, `owner`; of `task.done` also `outcome`."""

UNKNOWN = "…"
"""Stands in a text for a property that the entry does not have."""
_ANY_TASKS = frozenset({"journey", "enrollment", "task"})
_ELSE_IN_TEXT = re.compile(r"\$(?!entry\.[A-Za-z0-9_])[A-Za-z_]+\.[A-Za-z0-9_.-]*[A-Za-z0-9_]")
_IN_TEXT = re.compile(r"\$entry\.([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)")


def concerns(name: str, properties: Mapping[str, Any], where: Where, enrollment: str) -> bool:
    """Whether an event is one that this enrollment means where it names it so.

    `task.done` and the like mean a task of the enrollment's own: another journey may have a step of the same name, and
    one contact may be in a journey several times. Who names a `journey` (or an `enrollment`, or a `task`) means those.
    """
    if name not in TASK_EVENTS or not enrollment or names_others(where):
        return True
    return bool(properties.get("enrollment", enrollment) == enrollment)


def names_others(where: Where) -> bool:
    """Whether what is asked of the event of a task says itself whose task it is."""
    return bool(_ANY_TASKS & set(where))


def filled(text: str, entry: Mapping[str, Any]) -> str:
    """The text with the values of the entry in place of each `$entry.x`."""

    def value(found: re.Match[str]) -> str:
        known = lookup(entry, found[1])
        return UNKNOWN if known is None or isinstance(known, dict | list) else str(known)

    return _IN_TEXT.sub(value, text)


def named_in(text: str) -> tuple[str, ...]:
    """The properties of the entry that a text names, in their order."""
    return tuple(dict.fromkeys(_IN_TEXT.findall(text)))


def not_filled_in(text: str) -> tuple[str, ...]:
    """What looks like a reference in a text and is none that is filled in, such as `$step.paid.amount`."""
    return tuple(dict.fromkeys(_ELSE_IN_TEXT.findall(text)))
